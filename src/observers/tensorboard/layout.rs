//! The layout of the custom-scalars tab: which scalars stand in one chart.

use prost::Message;

use super::proto::{
    Category, Chart, Layout, Multiline, Payload, PluginData, SummaryMetadata, TensorProto, TensorShapeProto,
    TensorType, Value,
};

/// A chart: its title, and patterns of the tags that it shows.
pub type Patterns<'a> = (&'a str, &'a [&'a str]);
/// A category: its title, and its charts.
pub type ChartCategory<'a> = (&'a str, &'a [Patterns<'a>]);

/// The plugin's data for categories of charts.
pub(super) fn layout(categories: &[ChartCategory]) -> Value {
    let chart = |(title, tags): &(&str, &[&str])| Chart {
        title: (*title).to_owned(),
        multiline: Some(Multiline { tag: tags.iter().map(|tag| (*tag).to_owned()).collect() }),
    };
    let category = |(title, charts): &(&str, &[(&str, &[&str])])| Category {
        title: (*title).to_owned(),
        chart: charts.iter().map(chart).collect(),
    };
    let layout = Layout { category: categories.iter().map(category).collect() };
    Value {
        tag: "custom_scalars__config__".to_owned(),
        metadata: Some(SummaryMetadata {
            plugin_data: Some(PluginData { plugin_name: "custom_scalars".to_owned(), content: Vec::new() }),
            ..SummaryMetadata::default()
        }),
        payload: Some(Payload::Tensor(TensorProto {
            dtype: TensorType::String.into(),
            tensor_shape: Some(TensorShapeProto { dim: Vec::new() }),
            string_val: vec![layout.encode_to_vec()],
        })),
    }
}
