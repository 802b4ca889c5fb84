//! `POST /Bulk` (RFC 7644 §3.7): the operations one after the other, in the order the plan gives.

use axum::body::Body;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::respond::{Refused, scim};
use super::scim_request::Context;
use super::state::State;
use super::{body, groups, users};
use crate::scim::bulk::{self, BULK_RESPONSE_URN, BulkIds, BulkMethod, BulkOperation, BulkRequest, Step};
use crate::scim::error::ScimError;
use crate::scim::schema::ResourceType;
use crate::scim::user::location;
use crate::scim::version::{self, Precondition};

/// What an operation has come to.
struct Outcome {
    status: u16,
    id: Option<String>,
    version: Option<String>,
}

/// `POST /Bulk`.
pub async fn bulk(
    Shared(state): Shared<State>,
    context: Context,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let body = body::read(&state, &headers, body, state.config.scim.large_body_limit).await?;
    let request = bulk::parse(Value::Object(body.object), &state.scim_limits())?;
    let mut run = Run {
        state: &state,
        context: &context,
        request: &request,
        ids: BulkIds::default(),
        outcomes: request.operations.iter().map(|_| None).collect(),
        failed: 0,
    };
    run.note_unreadable();
    for step in bulk::plan(&request) {
        if run.is_over() {
            break;
        }
        run.step(step).await;
    }
    Ok(scim(StatusCode::OK, &run.response()))
}

struct Run<'a> {
    state: &'a State,
    context: &'a Context,
    request: &'a BulkRequest,
    ids: BulkIds,
    outcomes: Vec<Option<Result<Outcome, Refused>>>,
    failed: u64,
}

impl Run<'_> {
    fn note_unreadable(&mut self) {
        for (index, entry) in self.request.operations.iter().enumerate() {
            if let Err(error) = &entry.operation {
                self.note(index, Err(error.clone().into()));
            }
        }
    }

    fn is_over(&self) -> bool {
        self.request
            .fail_on_errors
            .is_some_and(|limit| limit > 0 && self.failed >= limit)
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Run(index) => {
                let Ok(operation) = &self.request.operations[index].operation else {
                    return;
                };
                let outcome = match bulk::substitute(operation, &self.ids) {
                    Ok(operation) => self.run(&operation).await,
                    Err(error) => Err(error.into()),
                };
                self.note(index, outcome);
            }
            Step::RunWithout {
                operation: index,
                reduced,
            } => {
                let outcome = match bulk::substitute(&reduced, &self.ids) {
                    Ok(operation) => self.run(&operation).await,
                    Err(error) => Err(error.into()),
                };
                self.note(index, outcome);
            }
            Step::Complete {
                operation: index,
                value,
            } => self.complete(index, &value).await,
        }
    }

    /// Adds what a creation in a circle had to leave out; when that fails, takes the creation back.
    async fn complete(&mut self, index: usize, value: &Value) {
        let Ok(operation) = &self.request.operations[index].operation else {
            return;
        };
        let Some(Some(Ok(Outcome { id: Some(id), .. }))) = self.outcomes.get(index) else {
            return;
        };
        let id = id.clone();
        let outcome = match Step::completion(value, &self.ids) {
            Ok(body) => self.change(operation.resource_type, &id, body, None).await,
            Err(error) => Err(error.into()),
        };
        match outcome {
            Ok(completed) => {
                self.outcomes[index] = Some(Ok(Outcome {
                    status: 201,
                    ..completed
                }));
            }
            Err(refused) => {
                let bare = self.with_condition(None);
                let undone = match operation.resource_type {
                    ResourceType::User => users::delete_user(self.state, &bare, &id).await,
                    ResourceType::Group => groups::delete_group(self.state, &bare, &id).await,
                };
                if let Err(error) = undone {
                    tracing::warn!(
                        detail = error.error.detail,
                        "a creation in a bulk request could not be taken back"
                    );
                }
                if let Some(bulk_id) = &self.request.operations[index].bulk_id {
                    self.ids.remove(bulk_id);
                }
                self.note(index, Err(refused));
            }
        }
    }

    fn note(&mut self, index: usize, outcome: Result<Outcome, Refused>) {
        match &outcome {
            Ok(Outcome { id: Some(id), .. }) => {
                if let Some(bulk_id) = &self.request.operations[index].bulk_id {
                    self.ids.insert(bulk_id.clone(), id.clone());
                }
            }
            Ok(_) => {}
            Err(_) => self.failed += 1,
        }
        self.outcomes[index] = Some(outcome);
    }

    async fn run(&self, operation: &BulkOperation) -> Result<Outcome, Refused> {
        let data = || match &operation.data {
            Some(Value::Object(object)) => Ok(object.clone()),
            _ => Err(ScimError::invalid_syntax(
                "The operation needs \"data\", a JSON object.",
            )),
        };
        let id = operation.id.as_deref().unwrap_or_default();
        let condition = operation.version.as_deref().map(Precondition::parse).transpose()?;
        match (operation.method, operation.resource_type) {
            (BulkMethod::Post, kind) => self.create(kind, data()?).await,
            (BulkMethod::Put, ResourceType::User) => {
                let context = self.with_condition(condition);
                let written = users::replace_user(self.state, &context, id, data()?).await?;
                Ok(outcome(200, &written.user.id.to_string(), written.user.tag()))
            }
            (BulkMethod::Put, ResourceType::Group) => {
                let context = self.with_condition(condition);
                let written = groups::replace_group(self.state, &context, id, data()?).await?;
                Ok(outcome(
                    200,
                    &written.group.id.to_string(),
                    version::print(written.group.version, None),
                ))
            }
            (BulkMethod::Patch, kind) => self.change(kind, id, Value::Object(data()?), condition).await,
            (BulkMethod::Delete, kind) => {
                let context = self.with_condition(condition);
                match kind {
                    ResourceType::User => users::delete_user(self.state, &context, id).await?,
                    ResourceType::Group => groups::delete_group(self.state, &context, id).await?,
                }
                Ok(Outcome {
                    status: 204,
                    id: Some(id.to_owned()),
                    version: None,
                })
            }
        }
    }

    async fn create(&self, kind: ResourceType, data: Map<String, Value>) -> Result<Outcome, Refused> {
        Ok(match kind {
            ResourceType::User => {
                let written = users::create_user(self.state, self.context, data).await?;
                outcome(201, &written.user.id.to_string(), written.user.tag())
            }
            ResourceType::Group => {
                let written = groups::create_group(self.state, self.context, data).await?;
                outcome(
                    201,
                    &written.group.id.to_string(),
                    version::print(written.group.version, None),
                )
            }
        })
    }

    async fn change(
        &self,
        kind: ResourceType,
        id: &str,
        body: Value,
        condition: Option<Precondition>,
    ) -> Result<Outcome, Refused> {
        let context = self.with_condition(condition);
        Ok(match kind {
            ResourceType::User => {
                let written = users::patch_user(self.state, &context, id, body).await?;
                outcome(200, id, written.user.tag())
            }
            ResourceType::Group => {
                let written = groups::patch_group(self.state, &context, id, body).await?;
                outcome(204, id, version::print(written.group.version, None))
            }
        })
    }

    fn with_condition(&self, condition: Option<Precondition>) -> Context {
        Context {
            caller: self.context.caller.clone(),
            origin: self.context.origin.clone(),
            if_match: condition,
            if_none_match: None,
            query: Vec::new(),
        }
    }

    /// The response in the order of the request; operations after the last allowed failure are left out.
    fn response(self) -> Value {
        let mut operations = Vec::with_capacity(self.outcomes.len());
        for (entry, outcome) in self.request.operations.iter().zip(self.outcomes) {
            let Some(outcome) = outcome else { continue };
            let kind = entry.operation.as_ref().ok().map(|operation| operation.resource_type);
            let mut result = Map::new();
            result.insert("method".into(), entry.method.as_str().into());
            if let Some(bulk_id) = &entry.bulk_id {
                result.insert("bulkId".into(), bulk_id.as_str().into());
            }
            let mut place = |id: &str| {
                if let Some(kind) = kind {
                    result.insert("location".into(), location(&self.state.scim_base, kind, id).into());
                }
            };
            match outcome {
                Ok(Outcome { status, id, version }) => {
                    if let Some(id) = &id {
                        place(id);
                    }
                    if let Some(version) = version {
                        result.insert("version".into(), version.into());
                    }
                    result.insert("status".into(), status.to_string().into());
                }
                Err(refused) => {
                    if let Ok(BulkOperation { id: Some(id), .. }) = &entry.operation {
                        place(id);
                    }
                    result.insert("status".into(), refused.error.status.to_string().into());
                    result.insert("response".into(), refused.error.body());
                }
            }
            operations.push(Value::Object(result));
        }
        json!({"schemas": [BULK_RESPONSE_URN], "Operations": operations})
    }
}

fn outcome(status: u16, id: &str, version: String) -> Outcome {
    Outcome {
        status,
        id: Some(id.to_owned()),
        version: Some(version),
    }
}
