"""Traffic such as identity providers and nodes send: pushes, refusals, look-ups, until it is stopped."""

import http.client
import json
import random
import threading
import time

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


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


class Load:
    """Threads that send until `stop`; each paces itself, so that the machine is not the limit."""

    def __init__(self, scene):
        self.stopping = threading.Event()
        api, read = scene.api[0], scene.read
        scim = api.token("identity provider", "scim")
        nodes = api.token("nodes", "nss-user")
        self.users, self.groups, self.names = [], [], ["nobody-knows"]
        work = [(self.push, scene.api[number % 2].ports["listen"], scim, 0.04) for number in range(3)]
        work += [(self.look_up, read.ports["read-listen"], nodes, 0.008) for _ in range(3)]
        front_end = api.token("front end", "login")
        work += [(self.sign_in, scene.api[1].ports["listen"], front_end, 0.05)]
        self.threads = [threading.Thread(target=self.repeat, args=each, daemon=True) for each in work]
        for thread in self.threads:
            thread.start()

    def repeat(self, step, port, token, pause):
        client, chance = Client(port, token), random.Random(port)
        while not self.stopping.is_set():
            step(client, chance)
            # The pace of traffic, not a wait for a condition.
            time.sleep(pause * chance.uniform(0.5, 1.5))

    def push(self, client, chance):
        draw = chance.random()
        if draw < 0.35 or len(self.users) < 5:
            name = f"person{chance.randrange(10**9)}@example.org"
            status, user = client.ask("POST", "/scim/v2/Users", {"schemas": [USER], "userName": name, "active": True})
            if status == 201:
                self.users.append(user["id"])
                self.names.append(name.split("@")[0])
        elif draw < 0.40:
            name = f"team {chance.randrange(10**6)}"
            status, group = client.ask("POST", "/scim/v2/Groups", {"schemas": [GROUP], "displayName": name})
            if status == 201:
                self.groups.append(group["id"])
        elif draw < 0.60 and self.groups:
            operations = [{"op": "add", "path": "members", "value": [{"value": chance.choice(self.users)}]}]
            client.ask("PATCH", f"/scim/v2/Groups/{chance.choice(self.groups)}", {"schemas": [PATCH], "Operations": operations})
        elif draw < 0.75:
            client.ask("GET", f"/scim/v2/Users/{chance.choice(self.users)}")
        elif draw < 0.85:
            operations = [{"op": "replace", "path": "active", "value": chance.random() < 0.8}]
            client.ask("PATCH", f"/scim/v2/Users/{chance.choice(self.users)}", {"schemas": [PATCH], "Operations": operations})
        elif draw < 0.93:
            client.ask("GET", "/scim/v2/Users?count=20&filter=userName%20sw%20%22person1%22")
        elif draw < 0.931 and len(self.users) > 50:
            client.ask("DELETE", f"/scim/v2/Users/{self.users.pop(chance.randrange(len(self.users)))}")
        elif draw < 0.98:
            client.ask("POST", "/scim/v2/Users", {"schemas": [USER], "userName": f"{chance.choice(self.names)}@example.org"})
        else:
            client.ask("GET", "/scim/v2/Users?filter=userName%20eq")

    def look_up(self, client, chance):
        name = chance.choice(self.names[-500:])
        client.ask("GET", f"/nss/v1/{chance.choice(['user', 'passwd', 'initgroups'])}?name={name}")

    def sign_in(self, client, chance):
        number = chance.randrange(400)
        groups = [f"lab {(number + shift) % 25}" for shift in range(chance.choice([3, 3, 3, 4]))]
        if chance.random() < 0.1:
            client.ask("GET", "/auth/verify")
        else:
            body = {"userName": f"scientist{number}", "subject": f"subject-{number}", "groups": groups}
            if chance.random() < 0.03:
                body["subject"] = "somebody-else"
            client.ask("POST", "/api/v1/logins", body)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)
