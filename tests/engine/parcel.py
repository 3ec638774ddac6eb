"""A parcel on its way: an invented machine with alternatives, waits, gates, a stay and every kind of source."""

from attrs import evolve, frozen

from podfsm.engine.rule import Registry, example, guard, timing
from podfsm.engine.spec import load_spec
from podfsm.engine.verdict import Verdict, refuse, wait_until
from podfsm.engine.versions import Gate, Gates, Stage, Version, gate_table

ACTORS = ("shop", "courier", "customer")


@frozen
class Parcel:
    """What the rules look at; times in minutes."""

    now: float = 0.0
    paid: bool = False
    at_home: bool = False
    opens_at: float = 0.0
    van_at: float = 0.0
    tries: int = 0


RULES = Registry()


@guard("paid-first", machine="parcel", cites=[], registry=RULES)
def paid_first(facts: Parcel) -> bool:
    """A parcel is sent only after it has been paid."""
    return facts.paid


@guard("shop-open", machine=("parcel", "letter"), cites=[], registry=RULES)
def shop_open(facts: Parcel) -> bool | Verdict:
    """The shop sends nothing before it opens."""
    return facts.now >= facts.opens_at or wait_until(facts.opens_at, "the shop is closed")


@guard("van-there", cites=[], registry=RULES)
def van_there(facts: Parcel) -> Verdict:
    """Nothing leaves before the van has come."""
    return Verdict(True) if facts.now >= facts.van_at else wait_until(facts.van_at, "no van")


@guard("someone-home", machine="parcel", cites=[], registry=RULES)
def someone_home(facts: Parcel) -> bool | Verdict:
    """A parcel is handed over only to a person."""
    return facts.at_home or refuse("nobody answered the door")


@guard("nobody-home", machine="parcel", cites=[], registry=RULES)
def nobody_home(facts: Parcel) -> bool:
    """A parcel goes back on the van when nobody is there and a try is left."""
    return not facts.at_home and facts.tries < 3


@guard("tries-used-up", machine="parcel", cites=[], registry=RULES)
def tries_used_up(facts: Parcel) -> bool:
    """After three tries a parcel goes to the depot."""
    return not facts.at_home and facts.tries >= 3


@guard("small-print", machine="parcel", cites=[], since="1.10", registry=RULES)
def small_print(facts: Parcel) -> bool:
    """Since 1.10 a parcel is collected only within ten tries."""
    return facts.tries < 10


@timing(
    "keeps-a-week", machine="parcel", cites=[], since="1.10", examples=[example(0.0, gives=10080.0)], registry=RULES
)
def keeps_a_week(arrived: float) -> float:
    """The depot keeps a parcel for a week."""
    return arrived + 7 * 24 * 60


SPEC_TEXT = """\
machine: parcel
says: one parcel, from the order to the door
instances: one per order
visible: the tracking page
actors: [shop, courier, customer]
initial: Ordered
states:
  Ordered:   {shows: {status: received}, says: not sent yet}
  On the way: {shows: moving}
  Depot:     {says: waiting to be collected}
  Delivered: {shows: {status: delivered}, final: true}
  Cancelled: {final: true}
transitions:
  - {trigger: send, source: Ordered, dest: On the way, by: shop, guards: [paid-first, shop-open, van-there]}
  - {trigger: ring, source: On the way, dest: Delivered, by: courier, guards: [someone-home], says: handed over}
  - {trigger: ring, source: On the way, dest: "=", by: courier, guards: [nobody-home]}
  - {trigger: ring, source: On the way, dest: Depot, by: courier, guards: [tries-used-up]}
  - {trigger: collect, source: [Depot], dest: Delivered, by: customer, guards: [small-print], because: [keeps-a-week]}
  - {trigger: reroute, source: [On the way, Depot], dest: Depot, by: customer, gate: Rerouting}
  - {trigger: cancel, source: Ordered, dest: Cancelled, by: customer}
  - {trigger: cancel, source: [On the way, Depot], dest: Ordered, by: customer, without_gate: Rerouting}
  - {trigger: lose, source: "*", dest: Cancelled, by: courier}
omits: [customs]
"""

SPEC = load_spec(SPEC_TEXT, registry=RULES, source="parcel.yaml", gates=["Rerouting"])

_GATES = gate_table([Gate("Rerouting", (Stage(Version(1, 10), "beta", default=True),))])


def gates(version: str, **overrides: bool) -> Gates:
    """The gates of the parcel world."""
    return Gates(Version.parse(version), _GATES, overrides)


READY = Parcel(paid=True)
HOME = evolve(READY, at_home=True)
