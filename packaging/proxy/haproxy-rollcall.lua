-- Asks Rollcall whose session the browser's cookie is (HAProxy 2.6 or newer): sets txn.rollcall_user when there is one,
-- and txn.rollcall_status to what /auth/verify answered, 503 when it did not.
local VERIFY = "http://127.0.0.1:8080/auth/verify"

-- Longest wait for the answer, in milliseconds.
local TIMEOUT = 2000

core.register_action("rollcall_verify", { "http-req" }, function(txn)
    local cookies = {}
    for _, value in pairs(txn.http:req_get_headers()["cookie"] or {}) do
        table.insert(cookies, value)
    end
    local headers = { ["cookie"] = { table.concat(cookies, "; ") } }
    local answer = core.httpclient():get({ url = VERIFY, headers = headers, timeout = TIMEOUT })
    local status = answer and answer.status or 0
    txn:set_var("txn.rollcall_status", status == 200 and 200 or status == 401 and 401 or 503)
    local user = answer and answer.headers["x-rstudio-username"]
    if status == 200 and user then
        txn:set_var("txn.rollcall_user", user[0])
    end
end, 0)
