"""What `make` runs to set up a checkout: standard library only, since nothing is installed yet."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 — said here, before a newer word of the language fails on an old Python
    sys.exit("zhongshu needs Python 3.11 or newer. Name one: make PYTHON=python3.12 …")
