//! The order of the operations: as sent, but what an operation refers to runs before it; circles are broken.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::super::error::ScimError;
use super::references::{of_operation, substitute_value, visit};
use super::{BulkIds, BulkMethod, BulkOperation, BulkRequest};

/// A step of the plan. Results are reported in the order of the request, not of the plan.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Run the operation with this index after [`super::substitute`].
    Run(usize),
    /// Run the creation with this index without the part that refers to resources which do not exist yet.
    RunWithout {
        /// Index of the operation.
        operation: usize,
        /// The operation to run, after [`super::substitute`].
        reduced: Box<BulkOperation>,
    },
    /// Complete a creation that ran reduced; skip it when that failed. When this fails, the operation has failed, and
    /// what it created is to be deleted.
    Complete {
        /// Index of the operation that created the resource.
        operation: usize,
        /// What was left out: the value of an `add` without a path, after [`Step::completion`].
        value: Value,
    },
}

impl Step {
    /// The body of the PATCH that completes a creation, references replaced.
    ///
    /// Raises 409 when a reference has no resource.
    pub fn completion(value: &Value, ids: &BulkIds) -> Result<Value, ScimError> {
        let mut value = value.clone();
        substitute_value(&mut value, ids)?;
        Ok(serde_json::json!({
            "schemas": [super::super::patch::PATCH_OP_URN],
            "Operations": [{"op": "add", "value": value}],
        }))
    }
}

/// Plans a request: every operation runs once, in the order of the request except that a creation moves up before the
/// first operation that refers to it. Where creations refer to each other in a circle, one is created without the
/// reference and completed afterwards. Operations that could not be read are not part of the plan.
pub fn plan(request: &BulkRequest) -> Vec<Step> {
    let mut creators = HashMap::new();
    for (index, entry) in request.operations.iter().enumerate() {
        if let (Some(bulk_id), Ok(operation)) = (entry.bulk_id.as_deref(), &entry.operation)
            && operation.method == BulkMethod::Post
        {
            creators.insert(bulk_id, index);
        }
    }
    let mut planner = Planner {
        request,
        creators,
        state: vec![State::Waiting; request.operations.len()],
        steps: Vec::new(),
        completions: Vec::new(),
    };
    for index in 0..request.operations.len() {
        planner.schedule(index);
    }
    let Planner { mut steps, completions, .. } = planner;
    steps.extend(completions);
    steps
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    /// Its references are being scheduled.
    Open,
    Done,
}

struct Planner<'a> {
    request: &'a BulkRequest,
    /// Indexes of the creations by bulkId.
    creators: HashMap<&'a str, usize>,
    state: Vec<State>,
    steps: Vec<Step>,
    completions: Vec<Step>,
}

impl<'a> Planner<'a> {
    fn operation(&self, index: usize) -> Option<&'a BulkOperation> {
        self.request.operations[index].operation.as_ref().ok()
    }

    /// Schedules an operation after what it refers to: depth first, with a stack of its own.
    fn schedule(&mut self, index: usize) {
        let mut stack = Vec::new();
        self.open(index, &mut stack);
        while let Some((current, mut pending)) = stack.pop() {
            match pending.pop() {
                Some(next) => {
                    stack.push((current, pending));
                    self.open(next, &mut stack);
                }
                None => self.close(current),
            }
        }
    }

    fn open(&mut self, index: usize, stack: &mut Vec<(usize, Vec<usize>)>) {
        let Some(operation) = self.operation(index).filter(|_| self.state[index] == State::Waiting) else { return };
        self.state[index] = State::Open;
        let references = of_operation(operation);
        let mut creators: Vec<usize> = references.iter().filter_map(|id| self.creators.get(id).copied()).collect();
        // Popped from the end: the first one of the request comes first.
        creators.sort_unstable_by(|left, right| right.cmp(left));
        creators.dedup();
        stack.push((index, creators));
    }

    fn close(&mut self, index: usize) {
        let Some(operation) = self.operation(index) else { return };
        // What is still open refers back to this operation.
        let open: HashSet<&str> = of_operation(operation)
            .into_iter()
            .filter(|id| self.creators.get(id).is_some_and(|&creator| self.state[creator] == State::Open))
            .collect();
        self.state[index] = State::Done;
        match split(operation, &open) {
            Some((reduced, value)) if operation.method == BulkMethod::Post => {
                self.steps.push(Step::RunWithout { operation: index, reduced: Box::new(reduced) });
                self.completions.push(Step::Complete { operation: index, value });
            }
            _ => self.steps.push(Step::Run(index)),
        }
    }
}

/// The operation without the values that refer to `open`, and those values; `None` when there are none.
fn split(operation: &BulkOperation, open: &HashSet<&str>) -> Option<(BulkOperation, Value)> {
    if open.is_empty() {
        return None;
    }
    let Some(Value::Object(data)) = &operation.data else { return None };
    let (kept, deferred) = split_object(data, open);
    let reduced = BulkOperation { data: Some(Value::Object(kept)), ..operation.clone() };
    (!deferred.is_empty()).then_some((reduced, Value::Object(deferred)))
}

fn split_object(data: &Map<String, Value>, open: &HashSet<&str>) -> (Map<String, Value>, Map<String, Value>) {
    let (mut kept, mut deferred) = (Map::new(), Map::new());
    for (key, value) in data {
        match value {
            _ if !refers(value, open) => {
                kept.insert(key.clone(), value.clone());
            }
            Value::Array(elements) => {
                let (later, now): (Vec<_>, Vec<_>) = elements.iter().cloned().partition(|element| refers(element, open));
                kept.insert(key.clone(), Value::Array(now));
                deferred.insert(key.clone(), Value::Array(later));
            }
            // An extension: its attributes are told apart.
            Value::Object(parts) if key.contains(':') => {
                let (now, later) = split_object(parts, open);
                kept.insert(key.clone(), Value::Object(now));
                deferred.insert(key.clone(), Value::Object(later));
            }
            other => {
                deferred.insert(key.clone(), other.clone());
            }
        }
    }
    (kept, deferred)
}

fn refers(value: &Value, open: &HashSet<&str>) -> bool {
    let mut refers = false;
    visit(value, &mut |bulk_id| refers |= open.contains(bulk_id));
    refers
}
