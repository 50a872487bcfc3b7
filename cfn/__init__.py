"""The CloudFormation stacks of an environment, and `make deploy`, which brings them up in order."""
