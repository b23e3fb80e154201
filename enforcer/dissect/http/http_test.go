package http

import (
	"slices"
	"strings"
	"testing"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/lang/fact"
)

func TestHTTP(t *testing.T) { dissecttest.Run(t, New(), cases()) }

func FuzzHTTP(f *testing.F) { dissecttest.FuzzOne(f, New(), cases()) }

// req is a case of a client's bytes alone with a whole header.
func req(name, in, host string) dissecttest.Case {
	method, _, _ := strings.Cut(strings.TrimLeft(in, "\r\n"), " ")
	want := fact.Facts{Protocol: "http", Hostname: host, HTTPMethod: method}
	switch {
	case method == "CONNECT":
		return dissecttest.Case{
			Name: name, In: dissecttest.TCP(80, dissecttest.Client(in)), Result: dissect.Partial,
			Want: fact.Facts{Protocol: "http-connect", Hostname: host, By: fact.ByHTTP, HTTPMethod: method},
		}
	case method == "PROPFIND":
		want.Protocol = "webdav"
	case strings.HasPrefix(in, "GET http://"):
		want.Protocol = "http-proxy"
	}
	if host != "" {
		want.By = fact.ByHTTP
	}
	want.Evasive = strings.HasSuffix(name, "two names")
	return dissecttest.Case{Name: name, In: dissecttest.TCP(80, dissecttest.Client(in)), Result: dissect.Match, Want: want}
}

func cases() []dissecttest.Case {
	return slices.Concat(requestCases(), otherCases(), lateCases(), carriedCases(), tunnelCases(), signedCases())
}

// lateCases have what only some policies ask for, and passwords.
func lateCases() []dissecttest.Case {
	url := func(in, host, want string) dissecttest.Case {
		c := req("URL "+want, in+" HTTP/1.1\r\nHost: a.test\r\n\r\n", host)
		c.In = c.In.Wanting(dissect.Wants{URL: true})
		c.Want.HTTPURL = want
		return c
	}
	password := func(field string, risky bool) dissecttest.Case {
		c := req(field, "GET / HTTP/1.1\r\nHost: a.test\r\n"+field+"\r\n\r\n", "a.test")
		if risky {
			c.Want.Risks = "cleartext_credentials"
		}
		return c
	}
	return []dissecttest.Case{
		url("GET /a/b?c#d", "a.test", "a.test/a/b?c#d"),
		url("GET http://u:p@b.test:80/x?y", "b.test", "b.test/x?y"),
		url("GET http://b.test", "b.test", "b.test"),
		url("CONNECT b.test:443", "b.test", "b.test"),
		url("OPTIONS *", "a.test", "a.test*"),
		url("GET /\x1b[2J\xff", "a.test", `a.test/\x1b[2J\xff`),
		url("GET /"+strings.Repeat("x", 2*maxTarget), "a.test", "a.test/"+strings.Repeat("x", maxTarget-1)),
		password("Authorization: Basic dXNlcjpwYXNz", true),
		password("proxy-authorization:  BASIC dXNlcjpwYXNz", true),
		password("Authorization: Bearer abc", false),
		password("Authorization: Basic", false),
	}
}

func requestCases() []dissecttest.Case {
	return []dissecttest.Case{
		req("plain", "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n", "www.example.com"),
		req("body follows", "POST /x HTTP/1.0\r\nHost: a.test\r\nContent-Length: 9\r\n\r\nHost: b.test", "a.test"),
		req("line feeds only", "GET / HTTP/1.1\nHost: a.test\n\n", "a.test"),
		req("case, tabs, no space", "GET / HTTP/1.1\r\nhOsT:\ta.TEST.\t\r\n\r\n", "a.test"),
		req("spaces before the field", "GET / HTTP/1.1\r\n  Host:a.test\r\n\r\n", "a.test"),
		req("space before the colon", "GET / HTTP/1.1\r\nHost : a.test\r\n\r\n", "a.test"),
		req("blank lines before", "\r\n\r\nGET / HTTP/1.1\r\nHost: a.test\r\n\r\n", "a.test"),
		req("spaces in the request line", "GET   /a b   HTTP/1.1  \r\nHost: a.test\r\n\r\n", "a.test"),
		req("port", "GET / HTTP/1.1\r\nHost: a.test:8080\r\n\r\n", "a.test"),
		req("IPv4 address", "GET / HTTP/1.1\r\nHost: 192.0.2.1:80\r\n\r\n", "192.0.2.1"),
		req("IPv6 address", "GET / HTTP/1.1\r\nHost: [2001:DB8::1]:80\r\n\r\n", "2001:db8::1"),
		req("absolute URI wins", "GET http://u:p@a.test:80/x?y HTTP/1.1\r\nHost: b.test\r\n\r\n", "a.test"),
		req("URI inside the path", "GET /http://b.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", "a.test"),
		req("CONNECT", "CONNECT a.test:443 HTTP/1.1\r\nHost: b.test\r\n\r\n", "a.test"),
		req("OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n", "a.test"),
		req("PROPFIND", "PROPFIND /dav HTTP/1.1\r\nHost: a.test\r\n\r\n", "a.test"),
		req("Host twice, the same", "GET / HTTP/1.1\r\nHost: a.test\r\nHost: A.test\r\n\r\n", "a.test"),
		req("Host twice, two names", "GET / HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\n\r\n", ""),
		req("no Host", "GET / HTTP/1.0\r\n\r\n", ""),
		req("empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", ""),
		req("broken Host", "GET / HTTP/1.1\r\nHost: a\x00b.test\r\n\r\n", ""),
		req("broken brackets", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", ""),
		req("zone", "GET / HTTP/1.1\r\nHost: [fe80::1%eth0]\r\n\r\n", ""),
		req("field without colon", "GET / HTTP/1.1\r\nnonsense\r\nHost: a.test\r\n\r\n", "a.test"),
		req("Host in another field's name", "GET / HTTP/1.1\r\nX-Host: b.test\r\nHost: a.test\r\n\r\n", "a.test"),
	}
}

func otherCases() []dissecttest.Case {
	only := fact.Facts{Protocol: "http"}
	agent := func(in, want string) dissecttest.Case {
		c := req("agent "+want, "GET / HTTP/1.1\r\nUser-Agent: "+in+"\r\nHost: a.test\r\n\r\n", "a.test")
		c.Want.UserAgent = want
		return c
	}
	long := strings.Repeat("x", maxUserAgent)
	return []dissecttest.Case{
		agent("Mozilla/5.0 (X11; Linux, like Gecko)", "Mozilla/5.0 (X11; Linux, like Gecko)"),
		agent("a\x1b[2Jb\xff", `a\x1b[2Jb\xff`),
		agent(long+"tail", long),
		{
			Name: "header not whole", In: dissecttest.TCP(80, dissecttest.Client("GET / HTTP/1.1\r\nHost: a.test\r\nUser-Agent: cu")), Result: dissect.Partial,
			Want: fact.Facts{Protocol: "http", Hostname: "a.test", By: fact.ByHTTP, HTTPMethod: "GET"},
		},
		{
			Name: "header not whole, closed", In: dissecttest.TCP(80, dissecttest.Client("GET / HTTP/1.1\r\nHost: a.t")).Close(), Result: dissect.Match,
			Want: fact.Facts{Protocol: "http", HTTPMethod: "GET"},
		},
		{Name: "response only", In: dissecttest.TCP(80, dissecttest.Server("HTTP/1.1 200 OK\r\nServer: x\r\n\r\n")), Result: dissect.Partial, Want: only},
		{Name: "response only, closed", In: dissecttest.TCP(80, dissecttest.Server("HTTP/1.1 200 OK\r\n\r\n")).Close(), Result: dissect.Match, Want: only},
		{
			Name: "ends the wrong way round", Result: dissect.Match, Want: fact.Facts{Protocol: "http", Hostname: "a.test", By: fact.ByHTTP, HTTPMethod: "GET"},
			In: dissecttest.TCP(49000, dissecttest.Server("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"), dissecttest.Client("HTTP/1.1 200 OK\r\n\r\n")),
		},
		{Name: "HTTP/2", In: dissecttest.TCP(80, dissecttest.Client(preface+"\x00\x00\x00\x04\x00")), Result: dissect.Match, Want: fact.Facts{Protocol: "http2"}},
		{Name: "method of nobody", In: dissecttest.TCP(80, dissecttest.Client("GETT / HTTP/1.1\r\n\r\n")), Result: dissect.Match, Want: fact.Facts{Protocol: "http", HTTPMethod: "GETT"}},
		{Name: "method of nobody for no path", In: dissecttest.TCP(80, dissecttest.Client("GETT x HTTP/1.1\r\n\r\n")), Result: dissect.NoMatch},
		{Name: "HTTP/0.9", In: dissecttest.TCP(80, dissecttest.Client("GET /\r\n")).Close(), Result: dissect.Match, Want: fact.Facts{Protocol: "http", HTTPMethod: "GET"}},
		{Name: "command without a version", In: dissecttest.TCP(80, dissecttest.Client("PUT /\r\n")), Result: dissect.NoMatch},
		{Name: "preface broken off", In: dissecttest.TCP(80, dissecttest.Client("PRI * HTTP/2.0\r\n\r\nXX\r\n")), Result: dissect.NoMatch},
		{Name: "line without end", In: dissecttest.TCP(80, dissecttest.Client("GET /aaaa")).Close(), Result: dissect.NoMatch},
	}
}

// A line that never ends is not waited for.
func TestEndlessLine(t *testing.T) {
	var f fact.Facts
	w := dissecttest.TCP(80, dissecttest.Client("GET /"+strings.Repeat("a", maxLine))).Whole()
	if got := New().Dissect(w, &f); got != dissect.NoMatch {
		t.Errorf("got %s, want NoMatch", dissecttest.ResultName(got))
	}
}

func TestReadAgainDoesNotAllocate(t *testing.T) {
	w := dissecttest.TCP(80, dissecttest.Client("GET / HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: x\r\nAccept: a")).Whole()
	var f fact.Facts
	New().Dissect(w, &f)
	if n := testing.AllocsPerRun(100, func() { New().Dissect(w, &f) }); n != 0 {
		t.Errorf("allocations: got %v, want 0", n)
	}
}

func BenchmarkRequest(b *testing.B) {
	w := dissecttest.TCP(80, dissecttest.Client("GET / HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: x\r\n\r\n")).Whole()
	d := New()
	b.ReportAllocs()
	for b.Loop() {
		var f fact.Facts
		d.Dissect(w, &f)
	}
}

// TestExecutable: what a server answers with, where somebody asks for risks.
func TestExecutable(t *testing.T) {
	ask := dissecttest.Client("GET /setup HTTP/1.1\r\nHost: a.example\r\n\r\n")
	answer := func(kind, body string) dissecttest.Packet {
		return dissecttest.Server("HTTP/1.1 200 OK\r\nContent-Type: " + kind + "\r\n\r\n" + body)
	}
	plain := fact.Facts{Protocol: "http", Hostname: "a.example", By: fact.ByHTTP, HTTPMethod: "GET"}
	risky := plain
	risky.Risks = "executable_transfer"
	var cases []dissecttest.Case
	for _, tt := range []struct {
		name   string
		answer dissecttest.Packet
		result dissect.Result
		want   fact.Facts
	}{
		{"by its type", answer("Application/X-MSDownload; a=b", ""), dissect.Match, risky},
		{"of Windows", answer("application/octet-stream", "MZ\x90\x00"), dissect.Match, risky},
		{"of Linux", answer("text/plain", "\x7fELF\x02"), dissect.Match, risky},
		{"of Android", answer("application/vnd.android.package-archive", ""), dissect.Match, risky},
		{"text", answer("text/html", "MZ is no program"), dissect.Match, plain},
		{"nothing yet", answer("application/octet-stream", "MZ"), dissect.Partial, plain},
		{"no header yet", dissecttest.Server("HTTP/1.1 200 OK\r\n"), dissect.Partial, plain},
		{"no body", dissecttest.Server("HTTP/1.1 304 Not Modified\r\n\r\n"), dissect.Match, plain},
		{"empty body", dissecttest.Server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), dissect.Match, plain},
		{"no answer", dissecttest.Server("what?\r\n"), dissect.Match, plain},
	} {
		in := dissecttest.TCP(80, ask, tt.answer).Wanting(dissect.Wants{Answer: true})
		cases = append(cases, dissecttest.Case{Name: tt.name, In: in, Result: tt.result, Want: tt.want})
	}
	cases = append(cases, dissecttest.Case{Name: "nobody asks", In: dissecttest.TCP(80, ask, answer("application/x-msi", "")), Result: dissect.Match, Want: plain})
	dissecttest.Run(t, New(), cases)
}
