"""The messages of Prometheus' remote write 1.0, without the parts that nobody here reads.

https://prometheus.io/docs/specs/prw/remote_write_spec/, and for metadata
https://github.com/prometheus/prometheus/blob/main/prompb/types.proto.
"""

from metrics.ingest.messages import FieldType, classes

WriteRequest = classes(
    "prometheus",
    {
        "WriteRequest": [("timeseries", 1, "TimeSeries"), ("metadata", 3, "MetricMetadata")],
        "TimeSeries": [("labels", 1, "Label"), ("samples", 2, "Sample")],
        "Label": [("name", 1, FieldType.TYPE_STRING), ("value", 2, FieldType.TYPE_STRING)],
        "Sample": [("value", 1, FieldType.TYPE_DOUBLE), ("timestamp", 2, FieldType.TYPE_INT64)],
        "MetricMetadata": [
            ("type", 1, FieldType.TYPE_INT32),
            ("metric_family_name", 2, FieldType.TYPE_STRING),
            ("unit", 5, FieldType.TYPE_STRING),
        ],
    },
)["WriteRequest"]
