"""`python -m cfn deploy|destroy <environment>`; `make deploy` and `make destroy` call it."""

import argparse
import sys
from collections.abc import Sequence

from cfn.deploy import confirm, deploy, describe, destroy, existing, look_up
from cfn.plan import PlanError, make_plan
from cfn.stacks import Aws, AwsError


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when done, 1 when something failed, 2 when the request makes no sense."""
    options = _parser().parse_args(arguments)
    try:
        return _deploy(options) if options.command == "deploy" else _destroy(options)
    except PlanError as error:
        _complain(str(error))
        return 2
    except AwsError as error:
        _complain(str(error))
        return 1


def _deploy(options: argparse.Namespace) -> int:
    aws = Aws()
    plan = make_plan(
        options.environment,
        settings=options.set,
        images=dict(_pairs(options.image)),
        looked_up=look_up(aws),
        without=options.without,
    )
    _say(describe(plan, aws))
    if not options.plan:
        deploy(plan, aws, _say)
    return 0


def _destroy(options: argparse.Namespace) -> int:
    aws = Aws()
    stacks = existing(options.environment, aws)
    if not stacks:
        _say(f"{options.environment} has no stacks in {aws.where()}.")
    elif options.yes or confirm(options.environment, stacks):
        destroy(options.environment, aws, _say)
    else:
        _say("Nothing was destroyed.")
        return 1
    return 0


def _pairs(texts: Sequence[str]) -> list[tuple[str, str]]:
    pairs = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise PlanError(f"{text}: an image is named as <repository>=<image>.")
        pairs.append((name, value))
    return pairs


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cfn", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("deploy", help="make or update all stacks; a second run resumes")
    up.add_argument("environment", help="the name that everything carries, such as demo")
    up.add_argument("--plan", action="store_true", help="print the plan and end")
    up.add_argument(
        "--set", action="append", default=[], metavar="TEMPLATE.PARAMETER=VALUE", help="a parameter"
    )
    up.add_argument(
        "--image", action="append", default=[], metavar="REPOSITORY=IMAGE", help="an image to run"
    )
    up.add_argument(
        "--without", action="append", default=[], metavar="TEMPLATE", help="a stack to leave out"
    )
    down = commands.add_parser("destroy", help="delete all stacks, after asking")
    down.add_argument("environment", help="the name that was given to deploy")
    down.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _complain(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
