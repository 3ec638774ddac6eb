"""Machines to draw: the parcel, and random ones with names nobody would choose."""

from hypothesis import strategies as st

from podfsm.engine.rule import Rule
from podfsm.engine.spec import MachineSpec, StateSpec, TransitionSpec

ODD = st.text(
    st.sampled_from("aZ9_ :;,.\"'`\\/|<>&#%$@!?*+-=~^(){}[]") | st.characters(min_codepoint=160, max_codepoint=0x2FFFF),
    min_size=1,
    max_size=12,
)
WORDS = st.sampled_from(
    [
        *(
            "Running",
            "Waiting",
            "end",
            "state",
            "State",
            "note",
            "Class",
            "style",
            "default",
            "root_start",
            "__proto__",
        ),
        *("constructor", "S0", "S1", "as", "[*]", "-->", "a--b", "graph", "node", "subgraph", "legend", "endlegend"),
        *(
            "remove",
            "@enduml",
            "%%{init}%%",
            "#58;",
            "&lt;",
            "\\N",
            "\\",
            "//",
            "**",
            "~~",
            "<b>x</b>",
            "%date()",
            "$x",
            "!x",
        ),
    ]
)
NAMES = (ODD | WORDS).map(str.strip).filter(lambda name: name and name.isprintable() and name not in ("*", "="))
TRIGGERS = ("go", "start", "exit", "end", "note", "A9", "state_", "valueOf_")


def rule(name):
    return Rule(
        name,
        "guard",
        "odd",
        (),
        "Says.",
        "",
        bool,
        (),
        "",
        None,
        None,
        None,
        None,
        "",
        "",
        allows=(),
        refuses=(),
        examples=(),
    )


@st.composite
def specs(draw):
    """Any machine that could be loaded: an initial state that leads to every other, and more arrows at random."""
    names = draw(st.lists(NAMES, min_size=2, max_size=6, unique=True))
    actors = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    finals = set(draw(st.lists(st.sampled_from(names[1:]), max_size=2)))
    rules = [rule(name) for name in draw(st.lists(NAMES, max_size=3, unique=True))]
    sources = st.sampled_from([name for name in names if name not in finals])
    rows = [(names[0], name) for name in names[1:]]
    rows += draw(st.lists(st.tuples(sources, st.sampled_from([*names, "="])), max_size=4))
    transitions = tuple(
        TransitionSpec(
            draw(st.sampled_from(TRIGGERS)),
            (source,),
            dest,
            draw(st.sampled_from(actors)),
            tuple(draw(st.lists(st.sampled_from(rules), max_size=2, unique=True))) if rules else (),
            says=draw(st.just("") | ODD),
            index=index,
        )
        for index, (source, dest) in enumerate(rows)
    )
    states = tuple(
        StateSpec(
            name,
            draw(st.just("") | ODD),
            draw(st.sampled_from([(), (("waiting", name),), (("a", ""),)])),
            name in finals,
        )
        for name in names
    )
    return MachineSpec(draw(NAMES), names[0], states, transitions, tuple(actors), says=draw(st.just("") | ODD))
