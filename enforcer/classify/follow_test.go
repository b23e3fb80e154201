package classify

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/netpol/netpol/lang/fact"
)

func TestWhatFollows(t *testing.T) {
	c := newSmall(t)
	for _, tt := range []struct {
		name     string
		in, want fact.Facts
	}{
		{
			"outward to a cloud",
			fact.Facts{SrcIP: client, DstIP: cloudAddr, LocalIP: client, OtherIP: cloudAddr},
			fact.Facts{TunnelType: fact.TunnelNone, DstNetworkCategory: "cloud", OtherNetworkCategory: "cloud"},
		},
		{
			"inward from one network to another",
			fact.Facts{SrcIP: cloudAddr, DstIP: zoomAddr, LocalIP: zoomAddr, OtherIP: cloudAddr},
			fact.Facts{
				TunnelType: fact.TunnelNone, SrcNetworkCategory: "cloud", OtherNetworkCategory: "cloud",
				DstNetworkCategory: "video", LocalNetworkCategory: "video",
			},
		},
		{"tunnel", fact.Facts{Protocol: "gtp-u"}, fact.Facts{TunnelType: fact.TunnelGTP}},
		{
			"TLS with a bad certificate",
			fact.Facts{JA4: "t13d", TLSCertFingerprint: "00", Risks: "tls_cert_expired"},
			fact.Facts{TunnelType: fact.TunnelNone, TLSProcHello: true, TLSProcCertificate: true, RiskScore: 100, RiskClient: 10, RiskServer: 90},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.in
			o := c.ownersOf(&got)
			c.follow(&got, &o)
			want := tt.in
			want.TunnelType, want.TLSProcHello, want.TLSProcCertificate = tt.want.TunnelType, tt.want.TLSProcHello, tt.want.TLSProcCertificate
			want.RiskScore, want.RiskClient, want.RiskServer = tt.want.RiskScore, tt.want.RiskClient, tt.want.RiskServer
			want.SrcNetworkCategory, want.DstNetworkCategory = tt.want.SrcNetworkCategory, tt.want.DstNetworkCategory
			want.LocalNetworkCategory, want.OtherNetworkCategory = tt.want.LocalNetworkCategory, tt.want.OtherNetworkCategory
			if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
