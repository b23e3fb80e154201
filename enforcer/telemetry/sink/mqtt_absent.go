//go:build !sink_mqtt

package sink

func kindsMQTT() []opener { return nil }
