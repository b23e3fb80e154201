package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"text/template"

	citemplates "github.com/netpol/netpol/docs/ci"
)

//go:embed start
var start embed.FS

// Pipelines.
const (
	GitHub = "github"
	GitLab = "gitlab"
	None   = "none"
)

// CIs lists the pipelines that there are templates for.
func CIs() []string { return []string{GitHub, GitLab, None} }

// PolicyDir is where the policies are in the repository.
const PolicyDir = "policies"

// File is one file to write.
type File struct {
	Name string // with slashes, from the top of the repository
	Data []byte
}

// Options say what the repository begins with.
type Options struct {
	CI string // one of CIs
	// Policies are files of the policy directory instead of the examples; nil
	// for these.
	Policies []File
}

// Files are the files of a new repository, but the lock file: that is made of the
// compiled policies.
func Files(o Options) ([]File, error) {
	var files []File
	var errs []error
	add := func(name string, fsys fs.FS, from string) {
		data, err := fs.ReadFile(fsys, from)
		errs = append(errs, err)
		files = append(files, File{name, data})
	}
	if o.Policies == nil {
		add(PolicyDir+"/main.netpol.hcl", start, "start/main.netpol.hcl")
		add(PolicyDir+"/main.nptest.hcl", start, "start/main.nptest.hcl")
	}
	for _, f := range o.Policies {
		files = append(files, File{path.Join(PolicyDir, f.Name), f.Data})
	}
	add(".gitignore", start, "start/gitignore")
	add(".gitattributes", start, "start/gitattributes")
	about := readme{Review: "review"}
	switch o.CI {
	case GitHub:
		about = readme{".github/workflows/netpol.yml", "pull request"}
		add(about.Pipeline, citemplates.Templates(), "github.yml")
	case GitLab:
		about = readme{".gitlab-ci.yml", "merge request"}
		add(about.Pipeline, citemplates.Templates(), "gitlab.yml")
	case None:
	default:
		return nil, fmt.Errorf("--ci %s: there are templates for %s", o.CI, strings.Join(CIs(), ", "))
	}
	if about.Pipeline != "" {
		add(".pre-commit-config.yaml", citemplates.Templates(), "pre-commit-config.yaml")
	}
	text, err := about.render()
	errs = append(errs, err)
	files = append(files, File{"README.md", text})
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("read templates: %w", err)
	}
	return files, nil
}

// readme is what the team's README depends on.
type readme struct {
	Pipeline string // file name; empty for none
	Review   string
}

func (r readme) render() ([]byte, error) {
	page, err := template.ParseFS(start, "start/README.md")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = page.Execute(&out, r)
	return out.Bytes(), err
}

// Write writes the files into dir, which it makes, and none of them if one is there
// already. Nothing outside of dir is written, whatever links lead there.
func Write(dir string, files []File) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("open directory: %w", err)
	}
	defer root.Close()
	var there []string
	for _, f := range files {
		if _, err := root.Lstat(f.Name); !errors.Is(err, fs.ErrNotExist) {
			there = append(there, f.Name)
		}
	}
	if len(there) > 0 {
		return fmt.Errorf("%s holds %s: nothing was written; netpol init overwrites no file", dir, strings.Join(there, ", "))
	}
	for i, f := range files {
		if err := create(root, f); err != nil {
			for _, done := range slices.Backward(files[:i]) {
				err = errors.Join(err, root.Remove(done.Name))
			}
			return fmt.Errorf("write %s: %w", f.Name, err)
		}
	}
	return nil
}

func create(root *os.Root, f File) error {
	if err := root.MkdirAll(path.Dir(f.Name), 0o755); err != nil {
		return err
	}
	file, err := root.OpenFile(f.Name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(f.Data)
	return errors.Join(err, file.Close())
}
