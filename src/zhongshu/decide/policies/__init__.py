"""Coordination policies: small named rules from facts to advice, each with its reason, each of which can be switched off.

A rule of your own inherits ``Policy``, has a ``name`` and a method ``advise(facts)`` that yields ``Ask``, ``Wait`` or ``Remake``.
"""

from zhongshu.decide.policies.advice import Advice as Advice
from zhongshu.decide.policies.advice import Ask as Ask
from zhongshu.decide.policies.advice import Remake as Remake
from zhongshu.decide.policies.advice import Wait as Wait
from zhongshu.decide.policies.facts import Facts as Facts
from zhongshu.decide.policies.facts import Load as Load
from zhongshu.decide.policies.policy import Policy as Policy
from zhongshu.decide.policies.policy import PolicyError as PolicyError
from zhongshu.decide.policies.policy import Setting as Setting
from zhongshu.decide.policies.registry import ALL as ALL
from zhongshu.decide.policies.registry import switched_on as switched_on
