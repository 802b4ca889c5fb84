"""One connection to the service with a token."""

import http.client
import json

USER = "urn:ietf:params:scim:schemas:core:2.0:User"


class Client:
    """One connection with a token; a failure is an answer like any other."""

    def __init__(self, port, token):
        self.port, self.token, self.connection = port, token, None

    def ask(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json"}
        try:
            self.connection = self.connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=40)
            self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = self.connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text.startswith(b"{") else {}
        except (OSError, http.client.HTTPException, ValueError):
            self.connection = None
            return 0, {}
