import datetime, hmac, json, os, threading, urllib.request, wsgiref.simple_server, standardwebhooks  # From PyPI.

SECRET, KEY = os.environ["VALIDATOR_SECRET"], standardwebhooks.Webhook(os.environ["VALIDATOR_CALLBACK_SECRET"])
USERS = {"abc123": {"issuer": "https://id.example", "subject": "4711", "name": "Ada Lovelace"}}
DELAY, uses, answers = float(os.environ.get("DELAY", 60)), {}, {}  # A real one keeps the two in its database.


def decide(question):
    id, token, now = question["confirmation"], question["token"], datetime.datetime.now(datetime.timezone.utc)
    reason = "invalid" if token not in USERS else "used" if uses.setdefault(token, id) != id else None
    verdict = {"verdict": "invalid", "reason": reason} if reason else {"verdict": "valid", "identity": USERS[token]}
    answers[id], body, seconds = verdict, json.dumps({"confirmation": id, **verdict}), str(int(now.timestamp()))
    headers = {"webhook-id": id, "webhook-timestamp": seconds, "webhook-signature": KEY.sign(id, now, body)}
    try:
        urllib.request.urlopen(urllib.request.Request(question["callback"], body.encode(), headers), timeout=10)
    except OSError as error:
        code = getattr(error, "code", 503)  # Without an answer, it has none.
        if code == 410:  # Nobody was signed in, so the token has not been used.
            uses.pop(token, None)
        elif code == 429 or code >= 500:
            threading.Timer(DELAY, decide, [question]).start()


def validate(environ, start_response):
    question = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    if not hmac.compare_digest(environ.get("HTTP_AUTHORIZATION", "").encode(), f"Bearer {SECRET}".encode()):
        start_response("401 Unauthorized", [])
        return []
    said = answers.get(question["confirmation"], {"verdict": "pending", "step": "received"})
    if question["confirmation"] not in answers:
        answers[question["confirmation"]] = said
        threading.Timer(DELAY, decide, [question]).start()
    start_response("202 Accepted" if said["verdict"] == "pending" else "200 OK", [("Retry-After", "300")])
    return [json.dumps(said).encode()]


wsgiref.simple_server.make_server("127.0.0.1", int(os.environ.get("PORT", 4000)), validate).serve_forever()
