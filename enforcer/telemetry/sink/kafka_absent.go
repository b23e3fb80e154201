//go:build !sink_kafka

package sink

func kindsKafka() []opener { return nil }
