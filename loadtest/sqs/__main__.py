"""`python -m loadtest.sqs --port 4000`: the queues as a process, by the JSON protocol of SQS."""

import argparse

import uvloop

from loadtest.bench.answerers import serve
from loadtest.sqs.answers import Answers

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    uvloop.run(serve(Answers(f"http://127.0.0.1:{given.port}"), given.port, None))
