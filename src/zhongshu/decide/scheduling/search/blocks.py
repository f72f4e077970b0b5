"""Where everything lies in the one array of integers that every kernel works on.

A kernel that gets a hundred arrays spends its time on passing them on; so a problem, its genes and its half-built schedule
share one array ``d``. ``d[at.TASKS]`` is a number; ``d[d[at.START] + task]`` is the start of a task, because ``d[at.START]``
says where the block of starts begins. ``X_PTR`` blocks are CSR offsets: the entries of i are X[X_PTR[i]:X_PTR[i + 1]].
-1 stands for "none" unless said otherwise.
"""

from __future__ import annotations

from collections.abc import MutableSequence

#: How a kernel sees the array.
Flat = MutableSequence[int]

# fmt: off
NUMBERS = (
    TASKS, ARCS, UNITS, JOBS, VEHICLES, STATIONS, PRICES, MATERIALS, POOLS,
    SLICE_TICKS, SLICE_SINCE, SLICES,  # pools are kept in slices of time, each as used as its busiest tick
    TOLERANCE, CHURN,             # stability: what counts as moved, how many may
    IN_WIDTH, OUT_WIDTH, MADE_WIDTH,
    JOURNAL_SIZE,                 # entries
    OVERFLOWN,                    # 1 when the journal was full: the state can't be taken back
    INDEX,                        # of the list, that is being placed
) = tuple(range(20))

# what the problem says; never written by a kernel
PROBLEM = (
    JOB, FAMILY, SIZE, INTERRUPTIBLE, MODE_PTR, MODE_UNIT, MODE_DURATION, MODE_POWER, DEMAND_PTR, DEMAND_POOL,
    DEMAND_AMOUNT, BEFORE, AFTER, LAG_MIN, LAG_MAX, MOVES, OVERLAP, ORIGIN, ARC_READY, IN_PTR, IN_ARC, OUT_PTR,
    OUT_ARC, CLOSED_PTR, CLOSED_START, CLOSED_END, CLOSED_RESUMABLE, CAPACITY, BUFFER_IN, BUFFER_OUT, STATION,
    UNIT_READY, UNIT_SETUPS, UNIT_FAMILY, SETUP_PTR, SETUP_WIDTH, SETUP, LEVEL, SUPPLY_PTR, SUPPLY_AT, SUPPLY_TOTAL,
    CONSUME_PTR, CONSUME_MATERIAL, CONSUME_QUANTITY, PRODUCE_PTR, PRODUCE_MATERIAL, PRODUCE_QUANTITY, PRODUCER_PTR,
    PRODUCER_TASK, VEHICLE_STATION, VEHICLE_READY, TRAVEL, EMPTY, RELEASE, DUE, WEIGHT, PIN_UNIT, PIN_START, PIN_END,
    STARTED, FROZEN_PTR, FROZEN_TASK, FROZEN_RANK, PREVIOUS_UNIT, PREVIOUS_START, PRICE_AT, PRICE, WEIGHTS,
    STUCK,                        # 1 where the task has no choice of mode
    REMAINING,                    # about how many ticks from a task's start to the end of all that depends on it
    AFTERWARDS,                   # least ticks from a task's end to the end of its order
) = tuple(range(20, 91))

# what the search varies: the list of tasks and its inverse; modes count from a task's first; MATE links the members of a
# batch in a circle; DELAY: not before this tick, for cheaper energy. SETTINGS[0]: lots are fetched as soon as there is room
# where they go, those at least whose arc is EARLY; SETTINGS[1]: dispatching
GENES = (ORDER, PLACE, MODE, MATE, DELAY, EARLY, SETTINGS) = tuple(range(91, 98))

# the schedule as far as it is built
STATE = (
    START, END, LEFT, DONE, BOUND, REASON, LOG, SETUP_TICKS,                                 # per task
    PICKUP, DROP, VEHICLE, FOLLOWING, LEADING, TRIP_FROM, TRIP_TO, WAITS,                 # per arc
    LAST, IN_PROMISED, IN_COUNT, IN_STARTS, OUT_COUNT, OUT_ARCS,                          # per unit
    HEAD, TAIL,                                                                           # per vehicle
    USAGE, CONSUMED, MADE_COUNT, MADE,                                                    # per pool, per material
    JOB_END, JOB_BOUND, COST, COUNT_PLACED, CHURNED, MAKESPAN,
) = tuple(range(98, 132))

# room to work in, meaningless between two evaluations
SCRATCH = (
    JOURNAL, STACK, WAITING, NOT_BEFORE, JOINT, MEMBERS, FIXED, COMPONENT, JUST_IN_TIME, SORTED, DEMAND, MISSING, ABLE, ASIDE,
    HOW, WANTED,
    SPARE_JOURNAL,                                        # of the schedule that is tried
    MARK_AT, COUNT_AT, COST_AT,                           # per index of the list: the journal, LOG and COST before it
    TRIED_MARK_AT, TRIED_COUNT_AT, TRIED_COST_AT,         # the same of the schedule that is tried
    PLACED_AT,                                            # per task: the index of the list at which it was placed
    COMPARED_AT, TRIED_COMPARED_AT,                       # per task: the first index at which its place was looked at
    SEEN_START, SEEN_END, SEEN_BOUND, SEEN_JOB_END,       # the current schedule, whatever the state shows
) = tuple(range(132, 162))
# fmt: on
HEADER = 162

#: Not decided yet.
UNKNOWN = -(2**50)
#: BOUND says what a task had to wait for: an arc (its index), the unit's task before (FROM_UNIT - task), or its release.
BY_RELEASE, FROM_UNIT = -1, -10
#: REASON says what then held it up further, if anything did.
NO_REASON, BY_CALENDAR, BY_POOL, BY_MATERIAL, BY_PIN, BY_MAX_LAG = range(6)
