"""`python -m tests.benchmarks.chat_evals`: how well the chat finds, answers and admits not to know, by our own
questions to the demo shops (tests/evals/*.toml), with the local models. Takes about a minute; needs no demo.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.evals.report import Outcome

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")


def main() -> None:
    import django

    django.setup()
    from controlplane.localcloud.sqld import Sqld
    from tests.evals import report
    from tests.evals.world import demo_shops, world

    shops = demo_shops()
    with tempfile.TemporaryDirectory() as folder, Sqld(Path(folder)) as sqld, world(sqld, shops) as make:
        outcomes = asyncio.run(report.ask_all(make, shops))
    _print_table(outcomes)
    _print_curve(outcomes)
    if "--all" in sys.argv:
        _print_answers(outcomes)


def _print_table(outcomes: "Sequence[Outcome]") -> None:
    from tests.evals import report

    print(f"{'':<28}{'n':>5}{'recall@3':>10}{'MRR':>7}{'answers':>9}{'admits':>8}{'wrong prices':>14}{'foreign':>9}")
    own = {"harrowfell": "en", "tidewheel": "en", "schlickermuehle": "de"}
    groups = {f"{shop} ({lang})": [o for o in outcomes if o.question.shop == shop and o.question.lang == lang]
              for shop in own for lang in ("en", "de")}  # fmt: skip
    groups["in the shop's language"] = [o for o in outcomes if own[o.question.shop] == o.question.lang]
    groups["in the other language"] = [o for o in outcomes if own[o.question.shop] != o.question.lang]
    groups["with a limit on price"] = [o for o in outcomes if o.question.most]
    groups["all"] = list(outcomes)
    for name, group in groups.items():
        has_unanswerable = any(not o.question.is_answerable for o in group)
        admits = f"{report.accuracy(group, answerable=False):.3f}" if has_unanswerable else "–"
        print(
            f"{name:<28}{len(group):>5}{report.recall(group):>10.3f}{report.mean_reciprocal_rank(group):>7.3f}"
            f"{report.accuracy(group, answerable=True):>9.3f}{admits:>8}"
            f"{sum(len(o.wrong_prices) for o in group):>14}{sum(len(o.foreign_sources) for o in group):>9}"
        )


def _print_curve(outcomes: "Sequence[Outcome]") -> None:
    """A question's relevance at which the chat answers; chosen on one half by the mean of both rates."""
    from tests.evals import report

    tuned, held_out = report.halves(outcomes)
    print(f"\n{'threshold':<11}{'answers':>9}{'admits':>8}   held out:{'answers':>9}{'admits':>8}")
    steps = [step / 100 for step in range(24, 74, 4)]
    for step in steps:
        (yes, no), (yes2, no2) = report.at_threshold(tuned, step), report.at_threshold(held_out, step)
        print(f"{step:<11.2f}{yes:>9.3f}{no:>8.3f}   {'':<9}{yes2:>9.3f}{no2:>8.3f}")
    best = max((step / 100 for step in range(20, 80)), key=lambda step: sum(report.at_threshold(tuned, step)))
    print(f"best on the first half: {best:.2f}")


def _print_answers(outcomes: "Sequence[Outcome]") -> None:
    for one in outcomes:
        mark = "  " if one.right_kind and (one.place in (1, 2, 3) or not one.question.is_answerable) else "! "
        print(
            f"\n{mark}{one.question.shop}: {one.question.text}  [{one.relevance:.2f}, place {one.place}]\n   {one.text}"
        )
        for wrong in (*one.wrong_prices, *one.foreign_sources):
            print(f"   WRONG {wrong}")


if __name__ == "__main__":
    main()
