//! Hyperparameters for TensorBoard's HParams tab: what a run was started with and how it ended.

use prost::Message;

use super::proto::{
    Dim, Experiment, HParamInfo, HParamType, HParamValue, HParamsData, HParamsPluginData, Kind, MetricInfo,
    MetricName, Payload, PluginData, SessionEndInfo, SessionStartInfo, SummaryMetadata, TensorProto,
    TensorShapeProto, TensorType, Value,
};

/// The value of one hyperparameter.
#[derive(Clone, Debug, PartialEq)]
pub enum HParam {
    /// A number; one that is not finite is written as text, as TensorBoard refuses it otherwise.
    Number(f64),
    /// Any other value, in words.
    Text(String),
    /// On or off.
    Flag(bool),
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionStatus {
    /// All epochs were trained.
    Success,
    /// The run stopped before.
    Failure,
}

/// Describes the columns of the table: hyperparameters with their types, and metrics by scalar tag. TensorBoard sorts
/// hyperparameters by name, but those that differ, which the names in `first` are said to do, before the others, and
/// shows five of them.
pub(super) fn experiment(params: &[(&str, HParam)], first: &[&str], metrics: &[&str], now: f64) -> Value {
    let hparam_infos = params.iter().map(|(name, param)| HParamInfo {
        name: (*name).to_owned(),
        r#type: column_type(&kind(param)).into(),
        differs: first.contains(name),
    });
    let metric_infos =
        metrics.iter().map(|tag| MetricInfo { name: Some(MetricName { tag: (*tag).to_owned() }) });
    plugin_value(
        "_hparams_/experiment",
        HParamsData::Experiment(Experiment {
            time_created_secs: now,
            hparam_infos: hparam_infos.collect(),
            metric_infos: metric_infos.collect(),
        }),
    )
}

/// One row of the table; rows of the same `group` are shown as repeats of each other.
pub(super) fn session_start(params: &[(&str, HParam)], group: &str, now: f64) -> Value {
    let hparams = params.iter().map(|(name, param)| {
        let value = HParamValue { kind: Some(kind(param)) };
        ((*name).to_owned(), value)
    });
    plugin_value(
        "_hparams_/session_start_info",
        HParamsData::SessionStartInfo(SessionStartInfo {
            hparams: hparams.collect(),
            group_name: group.to_owned(),
            start_time_secs: now,
        }),
    )
}

/// The end of the row that `session_start` began.
pub(super) fn session_end(status: SessionStatus, now: f64) -> Value {
    plugin_value(
        "_hparams_/session_end_info",
        HParamsData::SessionEndInfo(SessionEndInfo {
            status: match status {
                SessionStatus::Success => 1,
                SessionStatus::Failure => 2,
            },
            end_time_secs: now,
        }),
    )
}

fn kind(param: &HParam) -> Kind {
    match param {
        HParam::Number(number) if number.is_finite() => Kind::Number(*number),
        HParam::Number(number) => Kind::Text(number.to_string()),
        HParam::Text(text) => Kind::Text(text.clone()),
        HParam::Flag(flag) => Kind::Bool(*flag),
    }
}

fn column_type(kind: &Kind) -> HParamType {
    match kind {
        Kind::Number(_) => HParamType::Float64,
        Kind::Text(_) => HParamType::String,
        Kind::Bool(_) => HParamType::Bool,
    }
}

/// The plugin keeps its data in the metadata; the tensor beside it is empty, but has to be there.
fn plugin_value(tag: &str, data: HParamsData) -> Value {
    let content = HParamsPluginData { version: 0, data: Some(data) };
    Value {
        tag: tag.to_owned(),
        metadata: Some(SummaryMetadata {
            plugin_data: Some(PluginData {
                plugin_name: "hparams".to_owned(),
                content: content.encode_to_vec(),
            }),
            ..SummaryMetadata::default()
        }),
        payload: Some(Payload::Tensor(TensorProto {
            dtype: TensorType::Float.into(),
            tensor_shape: Some(TensorShapeProto { dim: vec![Dim { size: 0 }] }),
            string_val: Vec::new(),
        })),
    }
}
