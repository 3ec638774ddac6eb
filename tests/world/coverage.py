"""What fires: every way through every machine, by the scenarios of tests/data and specs/examples.

`python -m tests.world.coverage` prints the table.
"""

from collections import defaultdict

from podfsm.machines import machine_names, machine_spec
from tests.world.runs import EVERY, steps_of


def arrows(name):
    """(source, destination, transition) of a machine, one for each state that a transition leaves."""
    return tuple(machine_spec(name).arrows())


def fired_by_file():
    """Where each arrow fired: the names of files by (machine, source, trigger, destination, rules)."""
    found = defaultdict(set)
    for path in EVERY:
        for step in steps_of(path):
            for one in step.fired:
                found[one.machine, one.source, one.trigger, one.dest, one.rules].add(path.stem)
    return found


def missing(found):
    """The arrows that nothing fired, in words."""
    return [
        f"{name}: {row.trigger} from {source} to {dest} ({', '.join(row.guards) or 'no guard'})"
        for name in machine_names()
        for source, dest, row in arrows(name)
        if (name, source, row.trigger, dest, row.cited) not in found
    ]


def table(found):
    """One row a machine: states, transitions, arrows, arrows fired, rules used."""
    rows = [("machine", "states", "transitions", "ways", "fired", "rules")]
    for name in machine_names():
        spec, ways = machine_spec(name), arrows(name)
        fired = sum((name, source, row.trigger, dest, row.cited) in found for source, dest, row in ways)
        rules = {rule for row in spec.transitions for rule in row.cited}
        rows.append((name, len(spec.states), len(spec.transitions), len(ways), fired, len(rules)))
    return rows


def shown(rows):
    """The table as text."""
    width = max(len(str(row[0])) for row in rows)
    return "\n".join(f"{row[0]!s:{width}}" + "".join(f"{cell!s:>12}" for cell in row[1:]) for row in rows)


if __name__ == "__main__":
    fired = fired_by_file()
    print(shown(table(fired)))
    print("\n".join(missing(fired)))
