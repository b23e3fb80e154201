package nft

import (
	"net"
	"strings"
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// TestAccountsOutliveAnApply replaces a table by another in which a counter, a
// quota and a set are the same, one of each is not, and one of each is new.
func TestAccountsOutliveAnApply(t *testing.T) {
	ns := kerneltest.NewNS(t)
	table := func(suffix string, quota uint64) artifact.Ruleset {
		set := artifact.Set{Name: "np_count4_a", Type: artifact.SetAddr4, Accounts: artifact.AccountCounts}
		other := set
		other.Name = "np_count4_" + suffix
		other.Type = artifact.SetAddr4
		do := func(s artifact.Statement) artifact.Rule {
			return artifact.Rule{ID: "r", Match: []artifact.Match{{Kind: artifact.MatchFamily, Value: 4}}, Do: []artifact.Statement{s}}
		}
		return artifact.Ruleset{
			Family: "inet", Table: "netpol",
			Objects: []artifact.Object{
				{Name: "np_count_a", Kind: artifact.ObjectCounter},
				{Name: "np_count_" + suffix, Kind: artifact.ObjectCounter},
				{Name: "np_quota_a", Kind: artifact.ObjectQuota, Bytes: 1000},
				{Name: "np_quota_b", Kind: artifact.ObjectQuota, Bytes: quota},
			},
			Sets: []artifact.Set{set, other, {
				Name: "np_map", Type: artifact.SetProto, Map: true, Elements: []artifact.Element{{Low: []byte{6}, High: []byte{6}, Jump: "np_" + suffix}},
			}},
			Chains: []artifact.Chain{
				{Name: "np_out", Hook: "output", Type: "filter", Rules: []artifact.Rule{
					do(artifact.Statement{Kind: artifact.DoCountIn, Name: "np_count_a"}),
					do(artifact.Statement{Kind: artifact.DoCountIn, Name: "np_count_" + suffix}),
					do(artifact.Statement{Kind: artifact.DoUpdate, Name: "np_count4_a", Key: artifact.MatchDaddr4}),
					do(artifact.Statement{Kind: artifact.DoVMap, Name: "np_map", Key: artifact.MatchL4Proto}),
					do(artifact.Statement{Kind: artifact.DoOverQuota, Name: "np_quota_b"}),
					do(artifact.Statement{Kind: artifact.DoOverQuota, Name: "np_quota_a"}),
				}},
				{Name: "np_" + suffix, Rules: []artifact.Rule{{ID: "end", Do: []artifact.Statement{{Kind: artifact.DoReturn}}}}},
			},
		}
	}
	first, second := table("x", 500), table("y", 600)
	if err := Apply(&first); err != nil {
		t.Fatal(err)
	}
	ns.Run("ip", "link", "set", "lo", "up")
	ns.Do(func() {
		conn, err := net.Dial("udp", "127.0.0.1:9")
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		for range 3 {
			_, _ = conn.Write(make([]byte, 50)) // nobody listens, which the next write may report
		}
	})
	before := ns.Run("nft", "list ruleset")
	if !strings.Contains(before, "127.0.0.1 counter packets") {
		t.Fatalf("nothing was counted:\n%s", before)
	}
	if err := Apply(&second); err != nil {
		t.Fatal(err)
	}
	live, err := Read("inet", "netpol", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(live.Lines(), "\n"), strings.Join(Canonical(&second).Lines(), "\n"); got != want {
		t.Errorf("after the second apply: got\n%s\nwant\n%s", got, want)
	}
	after := ns.Run("nft", "list ruleset")
	for _, account := range []string{"counter np_count_a {", "quota np_quota_a {", "set np_count4_a {"} {
		if was, is := section(before, account), section(after, account); was != is || was == "" {
			t.Errorf("%s: was %q, is %q", account, was, is)
		}
	}
	if is := section(after, "quota np_quota_b {"); !strings.Contains(is, "600 bytes") || strings.Contains(is, "used") {
		t.Errorf("a quota of another size: %q", is)
	}
}

// section is what a listing says of one object or set.
func section(listing, head string) string {
	_, rest, ok := strings.Cut(listing, head)
	if !ok {
		return ""
	}
	body, _, _ := strings.Cut(rest, "\n\t}")
	return body
}
