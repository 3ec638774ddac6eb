"""Quantities, durations and label selectors."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.errors import InputError
from podfsm.kube.duration import FOREVER, LONGEST, format_duration, parse_duration
from podfsm.kube.objects import LabelSelector, LabelSelectorRequirement
from podfsm.kube.quantity import add, canonical, parse_quantity, read_quantity
from podfsm.kube.selector import matches

CAP = Fraction(2**63 - 1)


@pytest.mark.parametrize(
    ("written", "amount", "shortest"),
    [
        ("0", 0, "0"),
        ("100m", Fraction(1, 10), "100m"),
        ("0.1", Fraction(1, 10), "100m"),
        (0.5, Fraction(1, 2), "500m"),
        (2, 2, "2"),
        ("1000m", 1, "1"),
        ("1.5k", 1500, "1500"),
        ("12k", 12000, "12k"),
        ("1Gi", 2**30, "1Gi"),
        ("1024Mi", 2**30, "1Gi"),
        ("0.5Gi", 2**29, "512Mi"),
        ("1000Ki", 1024000, "1000Ki"),
        ("512Ki", 2**19, "512Ki"),
        ("0.5Ki", 512, "512"),
        ("1e3", 1000, "1e3"),
        ("1E3", 1000, "1e3"),
        ("15e-4", Fraction(15, 10000), "1500e-6"),
        ("12E", 12 * 10**18, "9223372036854775807"),
        ("1n", Fraction(1, 10**9), "1n"),
        ("0.1n", Fraction(1, 10**9), "1n"),
        ("1.0000000001", 1 + Fraction(1, 10**9), "1000000001n"),
        ("-3", -3, "-3"),
        ("-0.1n", -Fraction(1, 10**9), "-1n"),
        ("+.5", Fraction(1, 2), "500m"),
        ("5.", 5, "5"),
        ("1e999999999", CAP, "9223372036854775807"),
        ("1e-999999999", Fraction(1, 10**9), "1e-9"),
        ("0e999999999", 0, "0"),
    ],
)
def test_a_quantity(written, amount, shortest):
    assert parse_quantity(written) == min(Fraction(amount), CAP)
    assert canonical(written) == shortest


@pytest.mark.parametrize(
    "written", ["", "m", "1 Gi", "1gi", "1mi", "1KI", "--1", "1e", "1e1.5", ".", "NaN", True, "9" * 200]
)
def test_not_a_quantity(written):
    with pytest.raises(InputError, match=r"^cpu: not a quantity; expected a quantity such as"):
        parse_quantity(written, path="cpu")


def test_the_complaint_about_a_quantity_is_whole():
    with pytest.raises(InputError) as caught:
        parse_quantity("much", path="limits.cpu")
    expected = "limits.cpu: not a quantity; expected a quantity such as 100m, 0.5, 2 or 128Mi, found 'much'"
    assert str(caught.value) == expected


QUANTITIES = st.builds(
    lambda sign, digits, suffix: f"{sign}{digits}{suffix}",
    st.sampled_from(["", "-", "+"]),
    st.from_regex(r"\A[0-9]{1,6}(\.[0-9]{0,4})?\Z"),
    st.sampled_from(["", "n", "u", "m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti", "e3", "E-2", "e+4"]),
)


@given(QUANTITIES)
def test_the_shortest_form_means_the_same_and_stays(written):
    assert parse_quantity(canonical(written)) == parse_quantity(written)
    assert canonical(canonical(written)) == canonical(written)


@given(QUANTITIES, QUANTITIES)
def test_a_sum_is_exact(left, right):
    assert add(read_quantity(left), read_quantity(right)).amount == parse_quantity(left) + parse_quantity(right)


@pytest.mark.parametrize(
    ("written", "seconds", "shortest"),
    [
        ("0", 0, "0s"),
        (0, 0, "0s"),
        ("10s", 10, "10s"),
        ("300ms", 0.3, "300ms"),
        ("1h2m3.5s", 3723.5, "1h2m3.5s"),
        ("90s", 90, "1m30s"),
        ("1.5h", 5400, "1h30m"),
        ("60m", 3600, "1h"),
        (".5s", 0.5, "500ms"),
        ("+1m20s", 80, "1m20s"),
        ("5us", 5e-6, "5us"),
        ("1500µs", 0.0015, "1.5ms"),
        ("1500000ns", 0.0015, "1.5ms"),
        ("1m1m", 120, "2m"),
    ],
)
def test_a_duration(written, seconds, shortest):
    assert parse_duration(written) == pytest.approx(seconds, abs=1e-12)
    assert format_duration(parse_duration(written)) == shortest


def test_plain_numbers_and_forever_where_the_caller_says_so():
    assert parse_duration(5, plain=True) == parse_duration("5", plain=True) == 5
    assert parse_duration(0.25, plain=True) == 0.25
    assert parse_duration("forever", forever=True) == FOREVER
    assert format_duration(FOREVER) == "forever"
    assert format_duration(-90) == "-1m30s"


DURATIONS_REFUSED = [
    ("soon", {}, "d: not a duration; expected a duration such as 300ms, 10s or 1h30m, found 'soon'"),
    (5, {}, "d: not a duration; expected a duration such as 300ms, 10s or 1h30m, found the number 5; 5s?"),
    ("5", {}, "d: not a duration; expected a duration such as 300ms, 10s or 1h30m, found '5'; 5s?"),
    (True, {"plain": True},
     "d: not a duration; expected a duration such as 300ms, 10s or 1h30m, a number of seconds, found true"),
    (None, {"forever": True},
     "d: not a duration; expected a duration such as 300ms, 10s or 1h30m, or forever, found null"),
    ("forever", {}, "d: not a duration; expected a duration such as 300ms, 10s or 1h30m, found 'forever'"),
    ("1d", {}, "d: not a duration; expected a duration such as 300ms, 10s or 1h30m, found '1d'"),
    ("-5s", {}, "d: a negative duration; expected zero or more, found '-5s'"),
    (-5, {"plain": True}, "d: a negative duration; expected zero or more, found the number -5"),
    ("99999999h", {}, "d: a duration too long; expected at most 87600h, found '99999999h'"),
    ("2h", {"longest": 3600}, "d: a duration too long; expected at most 1h, found '2h'"),
    (float("inf"), {"plain": True},
     "d: not a duration; expected a duration such as 300ms, 10s or 1h30m, a number of seconds, found the number inf"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "options", "message"), DURATIONS_REFUSED)
def test_a_duration_is_refused_in_one_sentence(written, options, message):
    with pytest.raises(InputError) as caught:
        parse_duration(written, path="d", **options)
    assert str(caught.value) == message


@given(st.integers(0, int(LONGEST) * 1000))
def test_a_duration_comes_back_as_it_went(millis):
    assert parse_duration(format_duration(millis / 1000)) == pytest.approx(millis / 1000, abs=1e-6)


@given(st.text("0123456789.hmsun+-µ e", max_size=12))
def test_whatever_the_text_it_is_a_duration_or_refused(text):
    try:
        seconds = parse_duration(text, plain=True, forever=True)
    except InputError:
        seconds = 0
    assert 0 <= seconds <= LONGEST


def expression(key, operator, *values):
    return LabelSelector(matchExpressions=(LabelSelectorRequirement(key, operator, values),))


@pytest.mark.parametrize(
    ("selector", "labels", "matched"),
    [
        (None, {}, False),
        (LabelSelector(), {}, True),
        (LabelSelector(matchLabels={"a": "1"}), {"a": "1", "b": "2"}, True),
        (LabelSelector(matchLabels={"a": "1"}), {"a": "2"}, False),
        (LabelSelector(matchLabels={"a": ""}), {}, False),
        (expression("a", "In", "1", "2"), {"a": "2"}, True),
        (expression("a", "In", "1", "2"), {"a": "3"}, False),
        (expression("a", "In", "1", "2"), {}, False),
        (expression("a", "NotIn", "1", "2"), {"a": "3"}, True),
        (expression("a", "NotIn", "1", "2"), {"a": "1"}, False),
        (expression("a", "NotIn", "1", "2"), {}, True),
        (expression("a", "Exists"), {"a": ""}, True),
        (expression("a", "Exists"), {}, False),
        (expression("a", "DoesNotExist"), {}, True),
        (expression("a", "DoesNotExist"), {"a": "1"}, False),
    ],
)
def test_a_selector(selector, labels, matched):
    assert matches(selector, labels) is matched


LABELS = st.dictionaries(st.sampled_from("ab"), st.sampled_from("12"))
REQUIREMENTS = st.builds(
    lambda key, operator, values: LabelSelectorRequirement(key, operator, tuple(values)),
    st.sampled_from("ab"),
    st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]),
    st.lists(st.sampled_from("12"), min_size=1, max_size=2),
)


@given(LABELS, st.lists(REQUIREMENTS, max_size=3), LABELS)
def test_a_selector_is_the_conjunction_of_its_terms(labels, expressions, wanted):
    whole = LabelSelector(matchLabels=wanted, matchExpressions=tuple(expressions))
    single = [LabelSelector(matchLabels={key: value}) for key, value in wanted.items()]
    single += [LabelSelector(matchExpressions=(each,)) for each in expressions]
    assert matches(whole, labels) == all(matches(each, labels) for each in single)


def test_an_unknown_operator_is_refused():
    with pytest.raises(InputError) as caught:
        matches(expression("a", "notin", "1"), {})
    assert str(caught.value) == (
        "operator: unknown operator; "
        "expected one of In, NotIn, Exists, DoesNotExist, found 'notin'; did you mean NotIn?"
    )
