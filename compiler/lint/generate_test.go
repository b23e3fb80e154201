package lint_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// manyPolicies writes a set with all kinds of conditions: applications,
// categories, domains, ports and addresses, alone and together, drawn at random,
// so that far more of them meet than in sets that somebody wrote. The same n
// gives the same text.
func manyPolicies(tb testing.TB, n int) string {
	tb.Helper()
	cat, err := catalogue()
	if err != nil {
		tb.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	app := func() string { return cat.Applications[r.IntN(len(cat.Applications))].Tag }
	network := func() string { return fmt.Sprintf("10.%d.%d.0/%d", r.IntN(256), r.IntN(16)*16, 20+r.IntN(5)) }
	criteria := []func() string{
		func() string { return fmt.Sprintf("app in ['%s', '%s', '%s']", app(), app(), app()) },
		func() string { return fmt.Sprintf("app == '%s' and local_ip in '%s'", app(), network()) },
		func() string {
			return fmt.Sprintf("category == '%s' and src_ip in '%s'", cat.Categories[r.IntN(len(cat.Categories))].Tag, network())
		},
		func() string {
			return fmt.Sprintf("domain(hostname, 'd%d.example.org', 'e%d.example.net')", r.IntN(900), r.IntN(900))
		},
		func() string {
			low := r.IntN(60000) + 1
			return fmt.Sprintf("ip_protocol == 'tcp' and dst_port in %d..%d and dst_ip in '%s'", low, low+r.IntN(500), network())
		},
		func() string {
			return fmt.Sprintf("(protocol == 'tls' and dst_port == %d) or hostname endsWith '.h%d.example.com'", r.IntN(65000)+1, r.IntN(400))
		},
		func() string {
			return fmt.Sprintf("hostname matches '^cdn%d[0-9]+[.]' and not (app == '%s')", r.IntN(300), app())
		},
	}
	effects := []string{`dscp = "cs5"`, `dscp = "af21"`, `dscp = "cs1"`, `verdict = "reject"`, `mark = "0x10/0xf0"`}
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "policy \"p%d\" {\n  criteria = \"%s\"\n  %s\n}\n\n", i, criteria[r.IntN(len(criteria))](), effects[r.IntN(len(effects))])
	}
	return b.String()
}

// customerPolicies writes five policies for each customer of a provider.
func customerPolicies(n int) string {
	r := rand.New(rand.NewPCG(3, 4))
	apps := []string{"zoom", "netflix", "youtube", "tiktok", "discord", "webex", "onedrive", "dropbox", "facebook", "instagram"}
	var b strings.Builder
	for i := range n / 5 {
		net := fmt.Sprintf("100.%d.%d.%d/28", 64+i>>12, i>>4&255, i%16*16)
		for _, p := range [][3]string{
			{"calls", "category == 'voip-conferencing'", `dscp = "ef"`},
			{"likes", fmt.Sprintf("app in ['%s', '%s']", apps[r.IntN(5)], apps[5+r.IntN(5)]), `dscp = "af21"`},
			{"bulk", "category == 'file-sharing'", `dscp = "cs1"`},
			{"never", fmt.Sprintf("domain(hostname, 'bad%d.example.org', 'worse.example.net')", r.IntN(500)), `verdict = "reject"`},
			{"mark", "ip_protocol == 'tcp'", fmt.Sprintf(`mark = "%d/0xff"`, 1+r.IntN(6))},
		} {
			fmt.Fprintf(&b, "policy \"c%d-%s\" {\n  criteria = \"local_ip in '%s' && %s\"\n  %s\n}\n", i, p[0], net, p[1], p[2])
		}
	}
	return b.String()
}

// serverPolicies writes a firewall: networks that may, or may not, reach a
// server's ports.
func serverPolicies(n int) string {
	r := rand.New(rand.NewPCG(5, 6))
	ports := []int{80, 443, 25, 3389, 5432}
	var b strings.Builder
	for i := range n {
		verdict := []string{"accept", "accept", "drop"}[r.IntN(3)]
		fmt.Fprintf(&b, "policy \"r%d\" {\n  criteria = \"src_ip in '10.%d.%d.0/24' && dst_ip in '172.16.%d.%d' && ip_protocol == 'tcp' && dst_port in [%d, %d]\"\n  verdict = \"%s\"\n}\n",
			i, r.IntN(16), r.IntN(256), r.IntN(16), r.IntN(256), ports[r.IntN(len(ports))], 8000+r.IntN(100), verdict)
	}
	return b.String()
}
