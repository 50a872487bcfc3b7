"""Brings the stacks of an environment up, one after the other, and takes them down again."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from cfn.plan import FOLDER, TEMPLATES, Deployment, PlanError, missing_images, stack_name
from cfn.stacks import Aws, AwsError

BUILD_AND_PUSH = FOLDER.parent / "docker" / "build-and-push"
"""`build-and-push <repository> <its URI>`: the last line that it prints is the image's name."""
CONSOLE = FOLDER.parent / "ingestor" / "console" / "dist"
"""The console's files, once they are built."""

_PREFIX_LIST = "com.amazonaws.global.cloudfront.origin-facing"
_REPOSITORIES = {
    "ingestor": "IngestorRepository",
    "grafana-service": "GrafanaRepository",
    "chronograf-service": "ChronografRepository",
}


def look_up(aws: Aws) -> dict[str, str]:
    """The parameters that depend on the region alone."""
    answer = aws.ask(
        "ec2",
        "describe-managed-prefix-lists",
        "--filters",
        f"Name=prefix-list-name,Values={_PREFIX_LIST}",
    )
    lists = answer["PrefixLists"]
    return {"CloudFrontPrefixList": lists[0]["PrefixListId"]} if lists else {}


def describe(plan: Sequence[Deployment], aws: Aws) -> str:
    """What will be done, for a person to read before it is."""
    lines = [f"{plan[0].environment}: {len(plan)} stacks, {aws.where()}", ""]
    states = aws.states()
    for number, deployment in enumerate(plan, 1):
        state = states.get(deployment.stack, "new")
        lines += [f"{number:2}. {deployment.stack} ({state})", f"    {deployment.command()}"]
        lines += [
            f"    {parameter} is what {BUILD_AND_PUSH.name} {repository} says"
            for parameter, repository in deployment.step.images.items()
            if parameter not in deployment.parameters
        ]
    return "\n".join(lines) + "\n"


def deploy(
    plan: Iterable[Deployment],
    aws: Aws,
    say: Callable[[str], None],
    *,
    build_and_push: Path = BUILD_AND_PUSH,
    console: Path = CONSOLE,
) -> None:
    """Make or update every stack, and upload what belongs into them.

    Starting again after a failure goes on where it stopped: what is as it should be stays.

    Args:
        plan: What is to be there, parents first.
        aws: Where.
        say: Told of each step, as a sentence.
        build_and_push: Called with a repository and its URI; prints the image's name last.
        console: The folder of the console's files; it need not exist.

    Raises:
        PlanError: an image is missing and cannot be built here.
        AwsError: a stack failed, with the event that says why.
    """
    plan = list(plan)
    missing = missing_images(plan)
    if missing and shutil.which("docker") is None:
        raise PlanError(
            f"There is no image of {', '.join(missing)}, and no docker to build one: name it "
            "with --image <repository>=<image>, or leave its stack out with --without."
        )
    states = aws.states()
    built: dict[str, str] = {}
    for deployment in plan:
        if done := aws.make_ready(deployment.stack, states.get(deployment.stack)):
            say(f"{deployment.stack}: {done}")
        arguments = deployment.arguments(str(deployment.template))
        arguments += [
            f"{parameter}={built[repository]}"
            for parameter, repository in deployment.step.images.items()
            if parameter not in deployment.parameters
        ]
        say(f"{deployment.stack} …")
        try:
            aws.run(*arguments)
        except AwsError as exc:
            why = aws.why(deployment.stack) if aws.state(deployment.stack) else str(exc)
            raise AwsError(
                f"{deployment.stack} failed.\n{why}\nMend it and run the same command again."
            ) from exc
        if deployment.step.template == "images":
            built |= _build(build_and_push, aws.outputs(deployment.stack), missing)
        if deployment.step.template == "console":
            say(_upload_console(aws, deployment.environment, console))
    say("Done.")


def destroy(environment: str, aws: Aws, say: Callable[[str], None]) -> None:
    """Delete every stack of an environment with its data, children first. Does not ask.

    Raises:
        AwsError: a stack could not be deleted, with the event that says why.
    """
    states = aws.states()
    for template in reversed(TEMPLATES):
        stack = stack_name(environment, template)
        if stack not in states:
            continue
        say(f"{stack} …")
        if states[stack].endswith("_IN_PROGRESS"):
            aws.settle(stack)
        _let_go(template, aws, stack)
        aws.delete(stack)
    say("All stacks are gone. Backups of the file system and access logs are kept: see README.md.")


def existing(environment: str, aws: Aws) -> list[str]:
    """The stacks that an environment has now, in the order in which they were made."""
    states = aws.states()
    stacks = [stack_name(environment, template) for template in TEMPLATES]
    return [stack for stack in stacks if stack in states]


def _let_go(template: str, aws: Aws, stack: str) -> None:
    """Lift what protects the data of a stack."""
    if template == "metadata" and (table := aws.outputs(stack).get("Table")):
        aws.run(
            "dynamodb", "update-table", "--table-name", table, "--no-deletion-protection-enabled"
        )
    elif template == "console" and (pool := aws.outputs(stack).get("UserPool")):
        off = ["--deletion-protection", "INACTIVE"]
        aws.run("cognito-idp", "update-user-pool", "--user-pool-id", pool, *off)
    elif template == "cloudfront-alb" and (bucket := aws.outputs(stack).get("ConsoleBucket")):
        aws.run("s3", "rm", f"s3://{bucket}", "--recursive")


def _build(script: Path, repositories: dict[str, str], missing: Iterable[str]) -> dict[str, str]:
    """Build and push images; repository name to image."""
    images = {}
    for repository in missing:
        uri = repositories[_REPOSITORIES[repository]]
        done = subprocess.run(
            [script, repository, uri], stdout=subprocess.PIPE, text=True, check=False
        )
        lines = done.stdout.split()
        if done.returncode or not lines:
            raise AwsError(f"{script.name} {repository} failed; its words are above.")
        images[repository] = lines[-1]
    return images


def _upload_console(aws: Aws, environment: str, folder: Path) -> str:
    """Put the console's files into its bucket; what was done."""
    if not folder.is_dir():
        return "There is no console to upload: this version has not built one."
    way_in = aws.outputs(stack_name(environment, "cloudfront-alb"))
    configuration = aws.outputs(stack_name(environment, "console"))["ConsoleConfiguration"]
    bucket = f"s3://{way_in['ConsoleBucket']}"
    aws.run("s3", "sync", str(folder), bucket, "--delete", "--exclude", "config.json")
    aws.run("s3", "cp", "-", f"{bucket}/config.json", stdin=configuration)
    paths = ["--paths", "/*"]
    distribution = way_in["Distribution"]
    aws.run("cloudfront", "create-invalidation", "--distribution-id", distribution, *paths)
    return f"The console is at {way_in['CloudFrontEndpoint']}"


def confirm(environment: str, stacks: Sequence[str]) -> bool:
    """Ask on the terminal whether to destroy; only the environment's name, typed out, is a yes."""
    lines = ["These stacks go, with all readings, records and users in them:", *stacks]
    sys.stdout.write("\n  ".join(lines) + f"\nType {environment} to destroy it: ")
    sys.stdout.flush()
    return sys.stdin.readline().strip() == environment
