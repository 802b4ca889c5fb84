// A SCIM server of scimmy-routers that keeps users in memory, as its documentation shows: the peer of loadtest/bench.
// usage: node scimmy.mjs PORT TOKEN
import { randomUUID } from "node:crypto";
import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

const [port, token] = process.argv.slice(2);
const users = new Map();
const idsByName = new Map();

const byId = (id) => {
    if (!users.has(id)) throw new SCIMMY.Types.Error(404, null, `no user ${id}`);
    return users.get(id);
};

SCIMMY.Resources.declare(SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser), {
    egress: (resource) => {
        if (resource.id) return byId(resource.id);
        const all = [...users.values()];
        return resource.filter ? resource.filter.match(all) : all;
    },
    ingress: (resource, data) => {
        const name = data.userName.toLowerCase();
        const id = resource.id ?? randomUUID();
        if (resource.id) byId(resource.id);
        if ((idsByName.get(name) ?? id) !== id) throw new SCIMMY.Types.Error(409, "uniqueness", "userName is in use");
        const now = new Date().toISOString();
        const user = JSON.parse(JSON.stringify({ ...data, id, meta: { created: now, lastModified: now } }));
        users.set(id, user);
        idsByName.set(name, id);
        return user;
    },
    degress: (resource) => {
        idsByName.delete(byId(resource.id).userName.toLowerCase());
        users.delete(resource.id);
    },
});

const app = express();
app.use("/v2", new SCIMMYRouters({
    type: "bearer",
    handler: (request) => {
        if (request.header("Authorization") !== `Bearer ${token}`) throw new Error("wrong token");
        return "loadtest";
    },
}));
app.listen(Number(port), "127.0.0.1");
