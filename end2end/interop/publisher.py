"""PyPI's `pusher`: does what standard input says, call by call, and says what came of each."""

import json
import sys
import time

import pusher

asked = json.load(sys.stdin)
if asked["skew"]:
    real = time.time
    time.time = lambda: real() + asked["skew"]
client = pusher.Pusher(ssl=False, timeout=10, **asked["client"])


def answer(name, arguments):
    try:
        return {"answer": getattr(client, name)(**arguments)}
    except pusher.errors.PusherError as refusal:
        return {"refusal": type(refusal).__name__, "why": str(refusal)}


json.dump([answer(name, arguments) for name, arguments in asked["calls"]], sys.stdout)
