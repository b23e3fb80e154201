package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// pipeline is a repository of policies in which the commands of the templates run,
// with this test binary as netpol. go, gh and curl are stand-ins that note how they
// are called: what they would do is not netpol's.
type pipeline struct {
	*site
	env map[string]string
}

const pipelineTest = `test "calls" {
  flow {
    app = "zoom"
  }
  expect {
    dscp = "cs5"
  }
}
`

func newPipeline(t *testing.T) *pipeline {
	t.Helper()
	kerneltest.Need(t, "bash", "git")
	s := &site{t: t, dir: t.TempDir()}
	s.policies = s.path("repo/policies")
	s.installTool()
	for _, name := range []string{"go", "gh", "curl"} {
		s.write("bin/"+name, "#!/bin/sh\necho \""+name+" $*\" >>\"$CALLS\"\n")
		if err := os.Chmod(s.path("bin/"+name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	p := &pipeline{site: s, env: map[string]string{
		"PATH": s.path("bin") + ":" + os.Getenv("PATH"), "HOME": s.dir, "CALLS": s.path("calls"),
		"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "a@example.org",
	}}
	p.bash(0, nil, "git init -q -b main && netpol keygen ../release.key && cp ../release.key.pub release.pub && git add -A && git commit -qm empty")
	p.write("repo/policies/zoom.netpol.hcl", zoomPolicy)
	p.write("repo/policies/zoom.nptest.hcl", pipelineTest)
	p.bash(0, nil, "netpol compile --out ../build policies && git add -A && git commit -qm policies")
	return p
}

// bash runs a script as the CI systems do, in the repository.
func (p *pipeline) bash(wantCode int, env map[string]string, script string) string {
	p.t.Helper()
	if err := os.MkdirAll(p.path("repo"), 0o755); err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.Command("bash", "-e", "-o", "pipefail", "-c", script)
	cmd.Dir = p.path("repo")
	for _, vars := range []map[string]string{p.env, env} {
		for name, value := range vars {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != wantCode {
		p.t.Fatalf("%s: exit code %d, want %d (%v)\n%s", script, code, wantCode, err, out)
	}
	return string(out)
}

func (p *pipeline) commitID(revision string) string {
	p.t.Helper()
	return strings.TrimSpace(p.bash(0, nil, "git rev-parse "+revision))
}

// calls are the calls of the stand-ins since the last look.
func (p *pipeline) calls() string {
	p.t.Helper()
	data, _ := os.ReadFile(p.path("calls")) // none yet
	if err := os.WriteFile(p.path("calls"), nil, 0o644); err != nil {
		p.t.Fatal(err)
	}
	return string(data)
}

func (p *pipeline) read(name string) string {
	p.t.Helper()
	data, err := os.ReadFile(p.path(name))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(data)
}

// template parses a YAML file of the repository into v.
func template(t *testing.T, name string, v any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

type workflow struct {
	Env  map[string]string
	Jobs map[string]struct {
		Permissions map[string]string
		Steps       []struct {
			Name, If, Run, Uses string
			Env                 map[string]string
		}
	}
}

var githubExpression = regexp.MustCompile(`\$\{\{ *([^ }]+) *\}\}`)

// run runs the steps of a job for an event.
func (p *pipeline) run(w workflow, job, event string, values map[string]string) string {
	p.t.Helper()
	var out strings.Builder
	for _, step := range w.Jobs[job].Steps {
		if strings.Contains(step.Run, "${{") {
			p.t.Errorf("the script of %q holds an expression, which others may fill with commands:\n%s", step.Name, step.Run)
		}
		if step.Run == "" || step.If != "" && step.If != fmt.Sprintf("github.event_name == '%s'", event) {
			continue
		}
		env := map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": p.path("summary"), "GITHUB_REPOSITORY": "o/r", "GITHUB_RUN_NUMBER": "3", "GITHUB_SHA": p.commitID("HEAD")}
		for _, vars := range []map[string]string{w.Env, step.Env} {
			for name, value := range vars {
				env[name] = githubExpression.ReplaceAllStringFunc(value, func(e string) string {
					key := githubExpression.FindStringSubmatch(e)[1]
					filled, ok := values[key]
					if !ok {
						p.t.Errorf("nothing is known of %s", e)
					}
					return filled
				})
			}
		}
		out.WriteString(p.bash(0, env, step.Run))
	}
	return out.String()
}

func TestGitHubTemplate(t *testing.T) {
	p := newPipeline(t)
	var w workflow
	template(t, "docs/ci/github.yml", &w)
	pull := func(base string) map[string]string {
		return map[string]string{"github.event.pull_request.base.sha": p.commitID(base), "github.event.pull_request.number": "12", "github.token": "t"}
	}
	out := p.run(w, "check", "pull_request", pull("HEAD~1"))
	p.wantText(out, "PASS calls", "covered")
	p.wantText(p.read("repo/diff.md"), "these are the first policies")

	p.write("repo/policies/games.netpol.hcl", gamesPolicy)
	p.bash(0, nil, "netpol compile --out ../build policies && git add -A && git commit -qm games")
	p.calls()
	p.run(w, "check", "pull_request", pull("HEAD~1"))
	p.wantText(p.read("repo/diff.md"), "### netpol: This changes what routers do.", "```text\n", "+ games", "27015")
	p.wantText(p.read("summary"), "+ games")
	p.wantText(p.calls(), "go install github.com/netpol/netpol/cmd/netpol@latest", "gh pr comment 12 --repo o/r --edit-last --create-if-none --body-file diff.md")

	p.run(w, "release", "push", map[string]string{"secrets.NETPOL_KEY": p.read("release.key"), "github.token": "t"})
	p.wantText(p.calls(), "gh release create netpol-3 netpol.npr --repo o/r --target "+p.commitID("HEAD"))
	p.wantText(p.bash(0, nil, "netpol verify --key release.pub netpol.npr"), "message  games", "author   Ada", "commit   "+p.commitID("HEAD"))
	if got := w.Jobs["check"].Permissions["contents"]; got != "read" {
		t.Errorf("the job that runs a stranger's change may %q contents", got)
	}
}

// TestGitHubTemplateInANewRepository: what init writes passes its own pipeline, before
// anybody has changed a thing.
func TestGitHubTemplateInANewRepository(t *testing.T) {
	p := newPipeline(t)
	p.bash(0, nil, "rm -rf * .git && git init -q -b main && git commit -q --allow-empty -m empty && netpol init --ci github . && "+
		"cp ../release.key.pub release.pub && git add -A && git commit -qm begin && git status --short --ignored")
	data := []byte(p.read("repo/.github/workflows/netpol.yml"))
	var w workflow
	if err := yaml.Unmarshal(data, &w); err != nil {
		t.Fatal(err)
	}
	out := p.run(w, "check", "pull_request", map[string]string{
		"github.event.pull_request.base.sha": p.commitID("HEAD~1"), "github.event.pull_request.number": "1", "github.token": "t",
	})
	p.wantText(out, "3 of 3 policies covered (100 %)")
	p.run(w, "release", "push", map[string]string{"secrets.NETPOL_KEY": p.read("release.key"), "github.token": "t"})
	p.wantText(p.calls(), "gh release create")
	if left := p.bash(0, nil, "git status --short"); left != "" {
		t.Errorf("the pipeline leaves files that git does not ignore:\n%s", left)
	}
}

type gitlabJob struct{ Script []string }

func TestGitLabTemplate(t *testing.T) {
	p := newPipeline(t)
	var doc map[string]yaml.Node
	template(t, "docs/ci/gitlab.yml", &doc)
	env := map[string]string{
		"CI_API_V4_URL": "https://gitlab.example.org/api/v4", "CI_PROJECT_ID": "5", "CI_MERGE_REQUEST_IID": "6", "CI_JOB_TOKEN": "j",
		"CI_MERGE_REQUEST_DIFF_BASE_SHA": p.commitID("HEAD"), "NETPOL_COMMENT_TOKEN": "c", "NETPOL_KEY": p.path("release.key"),
	}
	variables := doc["variables"]
	if err := variables.Decode(env); err != nil {
		t.Fatal(err)
	}
	p.write("repo/policies/zoom.netpol.hcl", strings.ReplaceAll(zoomPolicy, "cs5", "cs4"))
	p.write("repo/policies/zoom.nptest.hcl", strings.ReplaceAll(pipelineTest, "cs5", "cs4"))
	for _, name := range []string{"policies", "meaning", "release"} {
		var job gitlabJob
		node := doc[name]
		if err := node.Decode(&job); err != nil || len(job.Script) == 0 {
			t.Fatalf("job %s: %v", name, err)
		}
		p.bash(0, env, strings.Join(job.Script, "\n"))
	}
	p.wantText(p.read("repo/code-quality.json"), "[]")
	p.wantText(p.read("repo/test.xml"), `<testcase name="calls"`)
	p.wantText(p.read("repo/diff.md"), "This changes what routers do.", "cs4")
	p.wantText(p.calls(), "--data-urlencode body@diff.md https://gitlab.example.org/api/v4/projects/5/merge_requests/6/notes",
		"--upload-file netpol.npr https://gitlab.example.org/api/v4/projects/5/packages/generic/netpol/current/netpol.npr")

	// What was signed is in no commit yet, so none is named.
	if out := p.bash(0, nil, "netpol verify --key release.pub netpol.npr"); !strings.Contains(out, "uncommitted changes on ") || strings.Contains(out, "commit   ") {
		t.Errorf("the release says of uncommitted policies:\n%s", out)
	}

	// A mistake stops the pipeline.
	var job gitlabJob
	node := doc["policies"]
	if err := node.Decode(&job); err != nil {
		t.Fatal(err)
	}
	p.write("repo/policies/zoom.netpol.hcl", zoomPolicy)
	p.wantText(p.bash(1, env, strings.Join(job.Script, "\n")), "FAIL calls")
}

func TestPreCommitHooks(t *testing.T) {
	p := newPipeline(t)
	type hook struct {
		ID, Entry, Files, Language string
		Args                       []string
		PassFilenames              *bool `yaml:"pass_filenames"`
	}
	var hooks []hook
	template(t, ".pre-commit-hooks.yaml", &hooks)
	var config struct {
		Repos []struct{ Hooks []hook }
	}
	template(t, "docs/ci/pre-commit-config.yaml", &config)
	for _, used := range config.Repos[0].Hooks {
		var h *hook
		for i := range hooks {
			if hooks[i].ID == used.ID {
				h = &hooks[i]
			}
		}
		if h == nil {
			t.Fatalf("there is no hook %s", used.ID)
		}
		if h.Language != "golang" || !regexp.MustCompile(h.Files).MatchString("policies/zoom.netpol.hcl") {
			t.Errorf("%s: language %s, files %s", h.ID, h.Language, h.Files)
		}
		line := h.Entry + " " + strings.Join(used.Args, " ")
		if h.PassFilenames == nil {
			line += " policies/zoom.netpol.hcl policies/zoom.nptest.hcl"
		}
		p.bash(0, nil, line)
	}
	if len(config.Repos[0].Hooks) != len(hooks) {
		t.Errorf("%d hooks, and the example uses %d", len(hooks), len(config.Repos[0].Hooks))
	}
}
