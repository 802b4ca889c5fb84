// Validates the objects on standard input (a JSON list) against the schemas of their operators, in the folder given.
import { readFileSync } from "node:fs";

const folder = process.argv[2];
const packages = {
  "postgresql.cnpg.io/v1": "cloudnative-pg",
  "gateway.networking.k8s.io/v1": "gateway-api",
  "monitoring.coreos.com/v1": "prometheus-operator",
};
let failed = false;
for (const object of JSON.parse(readFileSync(0, "utf8"))) {
  const index = `${folder}/node_modules/@kubernetes-models/${packages[object.apiVersion]}/${object.apiVersion}/index.js`;
  const kinds = await import(index);
  try {
    new kinds[object.kind](object).validate();
  } catch (error) {
    failed = true;
    console.log(`${object.kind}/${object.metadata.name}: ${error.message}`, JSON.stringify(error.errors ?? ""));
  }
}
process.exit(failed ? 1 : 0);
