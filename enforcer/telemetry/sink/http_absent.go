//go:build !sink_http

package sink

func kindsHTTP() []opener { return nil }
