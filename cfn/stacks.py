"""CloudFormation through the AWS CLI: what anybody could type, and therefore check."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from typing import Any

POLL_SECONDS = 5.0
PATIENCE_SECONDS = 3600.0
"""The longest that a stack may be busy: CloudFront takes a quarter of an hour."""

_UNUSABLE = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"})
_STARTED = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"})


class AwsError(Exception):
    """AWS refused, or something on the way failed; the text is for a person."""


class Aws:
    """The AWS CLI, with the account and region that the shell's environment names."""

    def __init__(self) -> None:
        command = shutil.which("aws")
        if command is None:
            raise AwsError("There is no AWS CLI on PATH; install it, and run `aws configure`.")
        self._command = command

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """The standard output of a call; AwsError with the end of its words when it fails."""
        done = subprocess.run(
            [self._command, *arguments],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise AwsError(done.stderr.strip() or f"aws {' '.join(arguments[:2])} failed")
        return done.stdout

    def ask(self, *arguments: str) -> Any:
        """The answer of a call as JSON; None when it is empty."""
        answer = self.run(*arguments, "--output", "json")
        return json.loads(answer) if answer.strip() else None

    def where(self) -> str:
        """Account and region, to be seen before anything is changed."""
        account = self.ask("sts", "get-caller-identity")["Account"]
        zones = self.ask("ec2", "describe-availability-zones")["AvailabilityZones"]
        return f"account {account}, region {zones[0]['RegionName']}"

    def state(self, stack: str) -> str | None:
        """CloudFormation's word for the state of a stack; None when there is none."""
        try:
            answer = self.ask("cloudformation", "describe-stacks", "--stack-name", stack)
        except AwsError as exc:
            if "does not exist" in str(exc):
                return None
            raise
        status: str = answer["Stacks"][0]["StackStatus"]
        return None if status == "DELETE_COMPLETE" else status

    def states(self) -> dict[str, str]:
        """The states of all stacks that there are, in one call."""
        answer = self.ask("cloudformation", "describe-stacks")
        return {
            stack["StackName"]: stack["StackStatus"]
            for stack in answer["Stacks"]
            if stack["StackStatus"] != "DELETE_COMPLETE"
        }

    def outputs(self, stack: str) -> dict[str, str]:
        """What a stack gives to others."""
        answer = self.ask("cloudformation", "describe-stacks", "--stack-name", stack)
        return {
            output["OutputKey"]: output["OutputValue"]
            for output in answer["Stacks"][0].get("Outputs", [])
        }

    def make_ready(self, stack: str, state: str | None) -> str | None:
        """Wait until nobody changes a stack, and remove what was never completed.

        Args:
            stack: Its name.
            state: Its state, as seen last.

        Returns:
            What was done, as a sentence; None when nothing had to be.
        """
        if state is None:
            return None
        waited = state.endswith("_IN_PROGRESS") and state != "REVIEW_IN_PROGRESS"
        if waited:
            state = self.settle(stack)
        if state in _UNUSABLE or state == "REVIEW_IN_PROGRESS":
            self.delete(stack)
            return f"an earlier attempt had failed ({state}) and is removed"
        return "another change had to end first" if waited else None

    def settle(self, stack: str) -> str | None:
        """Wait until a stack is no longer being changed; its state then."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        delay = 0.1
        while (state := self.state(stack)) is not None and state.endswith("_IN_PROGRESS"):
            if time.monotonic() > deadline:
                raise AwsError(f"{stack} is still {state} after {PATIENCE_SECONDS:.0f} s.")
            time.sleep(delay)
            delay = min(2 * delay, POLL_SECONDS)
        return state

    def delete(self, stack: str) -> None:
        """Delete a stack and wait until it is gone; AwsError with the event that failed."""
        self.run("cloudformation", "delete-stack", "--stack-name", stack)
        state = self.settle(stack)
        if state is not None:
            raise AwsError(f"{stack} is {state}: {self.why(stack)}")

    def why(self, stack: str) -> str:
        """The event that made the last change of a stack fail: the first, not what followed."""
        for event in reversed(list(self._last_events(stack))):
            if event["ResourceStatus"].endswith("_FAILED"):
                reason = event.get("ResourceStatusReason", "no reason given")
                return f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}"
        return "no event says why"

    def _last_events(self, stack: str) -> Iterator[dict[str, str]]:
        """The events of the last change, newest first."""
        answer = self.ask("cloudformation", "describe-stack-events", "--stack-name", stack)
        for event in answer["StackEvents"]:
            yield event
            about_all = event["LogicalResourceId"] == stack
            if about_all and event["ResourceStatus"] in _STARTED:
                return
