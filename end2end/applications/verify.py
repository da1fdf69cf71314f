"""Verifies an assertion with PyJWT. Standard input: a line of JSON with all that is needed. Says what it comes to."""

import json
import sys

import jwt

given = json.load(sys.stdin)
keys = {key["kid"]: jwt.PyJWK(key) for key in given["jwks"]["keys"]}
try:
    key = keys[jwt.get_unverified_header(given["jws"])["kid"]]
    claims = jwt.decode(given["jws"], key, algorithms=["ES256"], audience=given["audience"], issuer=given["issuer"])
    print(json.dumps({"sub": claims["sub"]}))
except (jwt.PyJWTError, KeyError) as error:
    print(json.dumps({"refused": type(error).__name__}))
