package nft

import (
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
)

// A rate that is forgotten before its bucket is full again would be no rate.
func TestRatesAreRememberedUntilTheirBucketsAreFull(t *testing.T) {
	tests := []struct {
		name string
		in   artifact.Limit
		want time.Duration
	}{
		{"bytes a second", artifact.Limit{Rate: 1_250_000, Unit: time.Second, Burst: 125_000, Bytes: true}, time.Minute},
		{"few bytes, large burst", artifact.Limit{Rate: 1000, Unit: time.Second, Burst: 1_000_000, Bytes: true}, 1001 * time.Second},
		{"bytes an hour", artifact.Limit{Rate: 5000, Unit: time.Hour, Burst: 64_000, Bytes: true}, 49680 * time.Second},
		{"packets a second", artifact.Limit{Rate: 100, Unit: time.Second, Burst: 10}, time.Minute},
		{"packets an hour", artifact.Limit{Rate: 30, Unit: time.Hour, Burst: 5}, 10 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := memory(tt.in); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
