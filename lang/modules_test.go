package lang

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/lang/diag"
)

// camera is a module with a variable, a local, a group, and a policy.
const camera = `
variable "net" { type = string }
variable "apps" { default = ["zoom"] }
locals { all = concat(var.apps, ["webex"]) }
address_group "here" { members = [var.net, "@home"] }
policy "block" {
  criteria = "local_ip in '@here' and app in ${local.all}"
  verdict  = "drop"
}
`

func names(p *Policy) string {
	var out []string
	for _, b := range p.Policies {
		out = append(out, b.Name)
	}
	return strings.Join(out, " ")
}

func TestModules(t *testing.T) {
	const first = "policy \"first\" {\n criteria = \"true\"\n label = \"a\"\n}\n"
	const last = "policy \"last\" {\n criteria = \"true\"\n label = \"a\"\n}\n"
	use := func(name, arguments string) string {
		return "module \"" + name + "\" {\n source = \"./lib/camera\"\n " + arguments + "\n}\n"
	}
	tests := []struct {
		name        string
		files       map[string]string
		want, codes string
	}{
		{"two of one", map[string]string{
			"a.netpol.hcl":            first + use("one", `net = "10.1.0.0/16"`) + use("two", "net = \"10.2.0.0/16\"\n apps = []") + last,
			"lib/camera/m.netpol.hcl": camera,
		}, "first one/block two/block last", ""},
		{"inside another", map[string]string{
			"a.netpol.hcl":            "module \"out\" {\n source = \"./lib\"\n}\n",
			"lib/b.netpol.hcl":        "locals { n = \"10.1.0.0/16\" }\nmodule \"in\" {\n source = \"./camera\"\n net = local.n\n}\n" + last,
			"lib/camera/m.netpol.hcl": strings.Replace(camera, `, "@home"`, "", 1),
		}, "out/in/block out/last", ""},
		{"for_each inside", map[string]string{
			"a.netpol.hcl":   "module \"m\" {\n source = \"./m\"\n list = [\"x\", \"y\"]\n}\n",
			"m/m.netpol.hcl": "variable \"list\" {}\npolicy \"p\" {\n for_each = var.list\n criteria = \"hostname == ${each.value}\"\n label = \"a\"\n}\n",
		}, "m/p(x) m/p(y)", ""},
		{"missing and unknown values", map[string]string{
			"a.netpol.hcl": use("one", `nett = "10.1.0.0/16"`), "lib/camera/m.netpol.hcl": camera,
		}, "one/block", diag.MissingVariable + " " + diag.UndefinedVariable},
		{"value of a wrong type", map[string]string{
			"a.netpol.hcl": use("one", `net = ["10.1.0.0/16"]`), "lib/camera/m.netpol.hcl": camera,
		}, "one/block", diag.WrongValueType},
		{"one mistake, used twice", map[string]string{
			"a.netpol.hcl":            use("one", `net = "10.1.0.0/16"`) + use("two", `net = "10.1.0.0/16"`),
			"lib/camera/m.netpol.hcl": strings.Replace(camera, `"drop"`, `"block"`, 1),
		}, "one/block two/block", diag.InvalidVerdict},
		{"same name", map[string]string{
			"a.netpol.hcl": use("one", `net = "10.1.0.0/16"`) + use("one", `net = "10.1.0.0/16"`), "lib/camera/m.netpol.hcl": camera,
		}, "one/block", diag.Duplicate},
		{"values stay inside", map[string]string{
			"a.netpol.hcl":            "locals { x = local.all }\nvariable \"v\" { default = 1 }\n" + use("one", `net = "10.1.0.0/16"`),
			"lib/camera/m.netpol.hcl": camera + "locals { y = var.v }\n",
		}, "one/block", diag.InvalidExpression + " " + diag.InvalidExpression},
		{"the set's own blocks", map[string]string{
			"a.netpol.hcl":   "module \"m\" {\n source = \"./m\"\n}\n",
			"m/m.netpol.hcl": "netpol {}\ncategory \"x\" {}\napplication \"y\" {}\n" + first,
		}, "m/first", strings.Repeat(diag.UnknownBlock+" ", 2) + diag.UnknownBlock},
		{"circle", map[string]string{
			"a.netpol.hcl":   "module \"m\" {\n source = \"./m\"\n}\n",
			"m/m.netpol.hcl": "module \"n\" {\n source = \"../n\"\n}\n",
			"n/n.netpol.hcl": "module \"m\" {\n source = \"../m\"\n}\n" + last,
		}, "m/n/last", diag.CyclicModules},
		{"the set itself", map[string]string{"a.netpol.hcl": "module \"m\" {\n source = \"./\"\n}\n"}, "", diag.CyclicModules},
		{"deep", deepModules(10), "", diag.TooDeep},
		{"sources", map[string]string{"a.netpol.hcl": `
module "a" { source = "../other" }
module "b" { source = "/etc" }
module "c" { source = "github.com/x/y" }
module "d" { source = "./a/../../b" }
module "e" { source = "./.git" }
module "f" { source = "./none" }
module "g" { source = ".\\x" }
module "h" {}
module "1" { source = "./x" }
module "i" { source = 5 }
module "j" { source = "./empty" }
`, "empty/x.txt": ""}, "", strings.Join([]string{
			diag.InvalidModule, diag.InvalidModule, diag.InvalidModule, diag.InvalidModule, diag.InvalidModule, diag.InvalidModule,
			diag.InvalidModule, diag.MissingArgument, diag.InvalidName, diag.InvalidModule, diag.NoPolicyFiles,
		}, " ")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string][]byte{}
			for name, text := range tt.files {
				files[name] = []byte(text)
			}
			p, diags := Parse(files, Options{})
			if got := codes(diags); got != tt.codes {
				t.Errorf("codes: got %q, want %q: %v", got, tt.codes, diags)
			}
			if got := names(p); got != tt.want {
				t.Errorf("policies: got %q, want %q", got, tt.want)
			}
			for _, d := range diags {
				if p.Source(d.Subject.Filename) == nil {
					t.Errorf("no source to show for %v", d)
				}
			}
		})
	}
}

func deepModules(n int) map[string]string {
	files := map[string]string{"a.netpol.hcl": "module \"m\" {\n source = \"./m\"\n}\n"}
	dir := "m"
	for range n {
		files[dir+"/a.netpol.hcl"] = "module \"m\" {\n source = \"./m\"\n}\n"
		dir += "/m"
	}
	return files
}

func TestModuleNodesKnowTheirFileAndModule(t *testing.T) {
	p, diags := Parse(map[string][]byte{
		"a.netpol.hcl":            []byte("module \"one\" {\n source = \"./lib/camera\"\n net = \"10.1.0.0/16\"\n}\n"),
		"lib/camera/m.netpol.hcl": []byte(camera),
	}, Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	b := p.Policies[0]
	if b.Range.Filename != "lib/camera/m.netpol.hcl" || b.Criteria[0].Module != "one" || b.Criteria[0].Range.Filename != b.Range.Filename {
		t.Errorf("got %v, %q, %v", b.Range, b.Criteria[0].Module, b.Criteria[0].Range)
	}
	if g := p.Groups[0]; g.Name != "one/here" || g.Module != "one" {
		t.Errorf("group: got %q of %q", g.Name, g.Module)
	}
	if b.Criteria[0].Text != "local_ip in '@here' and app in ['zoom', 'webex']" {
		t.Errorf("criteria: got %s", b.Criteria[0].Text)
	}
}

// Modules that use each other twice, eight deep, are few bytes and many blocks.
func TestHostileModulesGiveOneDiagnosticQuickly(t *testing.T) {
	files := map[string][]byte{}
	body := func(i int) []byte {
		var b strings.Builder
		for j := range 20 {
			fmt.Fprintf(&b, "module \"m%d\" {\n source = \"./m\"\n}\n", j)
		}
		fmt.Fprintf(&b, "policy \"p\" {\n criteria = \"true\"\n label = \"a\"\n}\n")
		return []byte(b.String())
	}
	name := "a.netpol.hcl"
	for i := range 8 {
		files[name] = body(i)
		name = "m/" + name
	}
	files[name] = []byte("policy \"p\" {\n criteria = \"true\"\n label = \"a\"\n}\n")
	start := time.Now()
	p, diags := Parse(files, Options{})
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	if len(diags) == 0 || len(diags) > 3 || !strings.Contains(codes(diags), diag.TooLarge) {
		t.Errorf("codes: got %.200q", codes(diags))
	}
	if len(p.Policies) > maxCopies+1 {
		t.Errorf("got %d policies", len(p.Policies))
	}
}

func TestNothingIsReadOutsideOfTheDirectory(t *testing.T) {
	outside := t.TempDir()
	write(t, outside, "secret.txt", "192.0.2.1\n")
	write(t, outside, "m.netpol.hcl", good)
	tests := []struct{ name, in, want string }{
		{"parent", `address_group "g" { file = "../secret.txt" }`, diag.InvalidPath},
		{"absolute", `address_group "g" { file = "` + outside + `/secret.txt" }`, diag.InvalidPath},
		{"link", `address_group "g" { file = "link.txt" }`, diag.NotRegularFile},
		{"through a linked directory", `address_group "g" { file = "linked/secret.txt" }`, diag.UnreadableFile},
		{"through a link to a sibling", `address_group "g" { file = "inner/secret.txt" }`, diag.UnreadableFile},
		{"no list", `address_group "g" { file = "netpol.lock.hcl" }`, diag.InvalidPath},
		{"hidden", `address_group "g" { file = ".git/x.txt" }`, diag.InvalidPath},
		{"none", `address_group "g" { file = "none.txt" }`, diag.UnreadableFile},
		{"FIFO", `address_group "g" { file = "fifo.txt" }`, diag.NotRegularFile},
		{"linked module", `module "m" { source = "./linked" }`, diag.InvalidModule},
		{"fine", `address_group "g" { file = "./sub/list.txt" }`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "a.netpol.hcl", tt.in+"\n")
			if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, dir, "sub/list.txt", "192.0.2.1\n")
			for link, target := range map[string]string{"link.txt": filepath.Join(outside, "secret.txt"), "linked": outside, "inner": "sub"} {
				if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
					t.Fatal(err)
				}
			}
			mkfifo(t, filepath.Join(dir, "fifo.txt"))
			_, diags := ParseDir(dir, Options{})
			if got := codes(diags); got != tt.want {
				t.Errorf("codes: got %q, want %q: %v", got, tt.want, diags)
			}
		})
	}
}

func TestAddressesFromAFile(t *testing.T) {
	list := "# the children's devices\n192.168.1.7   # Anna's phone\r\n\n\t2001:db8::/32\n02:00:5E:10:00:01\n@tablets\nnonsense\n 10.0.0.1/8 #\n192.0.2.1"
	p, diags := Parse(map[string][]byte{
		"a.netpol.hcl":      []byte("module \"m\" {\n source = \"./m\"\n}\n"),
		"m/a.netpol.hcl":    []byte("address_group \"kids\" {\n file = \"../lists/kids.txt\"\n members = [\"198.51.100.1\"]\n}\n"),
		"lists/kids.txt":    []byte(list),
		"lists/ignored.txt": []byte("nonsense"),
	}, Options{})
	if got, want := codes(diags), diag.InvalidAddress+" "+diag.HostBitsSet; got != want {
		t.Errorf("codes: got %q, want %q", got, want)
	}
	var got []string
	for _, m := range p.Groups[0].Members {
		src := p.Source(m.Range.Filename)
		got = append(got, fmt.Sprintf("%s %s=%s", m.Range, src[m.Range.Start.Byte:m.Range.End.Byte], m.Prefix.String()+m.MAC+m.Group))
	}
	want := strings.Join([]string{
		"lists/kids.txt:2:1 192.168.1.7=192.168.1.7/32",
		"lists/kids.txt:4:2 2001:db8::/32=2001:db8::/32",
		"lists/kids.txt:5:1 02:00:5E:10:00:01=invalid Prefix02:00:5e:10:00:01",
		"lists/kids.txt:6:1 @tablets=invalid Prefixtablets",
		"lists/kids.txt:9:1 192.0.2.1=192.0.2.1/32",
		"m/a.netpol.hcl:3:13 \"198.51.100.1\"=198.51.100.1/32",
	}, "\n")
	if g := strings.Join(got, "\n"); g != want {
		t.Errorf("members: got\n%s\nwant\n%s", g, want)
	}
	for _, d := range diags {
		if d.Subject.Filename != "lists/kids.txt" {
			t.Errorf("got %v in %s", d, d.Subject.Filename)
		}
	}
}

// FuzzAddressFile checks that any bytes give members and mistakes inside of the
// file, and not many mistakes.
func FuzzAddressFile(f *testing.F) {
	f.Add([]byte("192.0.2.1 # x\n@g\r\n\t2001:db8::/32"))
	f.Add([]byte("é\x00\n##\n/"))
	f.Fuzz(func(t *testing.T, list []byte) {
		p, diags := Parse(map[string][]byte{"a.netpol.hcl": []byte("address_group \"g\" {\n file = \"x.txt\"\n}\n"), "x.txt": list}, Options{})
		if len(diags) > maxSame {
			t.Errorf("got %d diagnostics", len(diags))
		}
		for _, d := range diags {
			checkInside(t, d.Subject, list)
		}
		for _, g := range p.Groups {
			for _, m := range g.Members {
				checkInside(t, m.Range, list)
				if m.Range.Start.Byte == m.Range.End.Byte {
					t.Errorf("an empty member at %v", m.Range)
				}
			}
		}
	})
}
