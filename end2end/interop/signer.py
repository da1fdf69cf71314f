"""PyPI's `standardwebhooks`: signs each of the calls in standard input, and says the signatures."""

import json
import sys
from datetime import datetime, timezone

from standardwebhooks import Webhook

asked = json.load(sys.stdin)
webhook = Webhook(asked["key"])


def sign(call):
    return webhook.sign(call["id"], datetime.fromtimestamp(call["seconds"], timezone.utc), call["body"])


json.dump([sign(call) for call in asked["calls"]], sys.stdout)
