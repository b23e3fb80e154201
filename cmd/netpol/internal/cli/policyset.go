package cli

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/policies"
)

// policySet is a policy directory taken through the compiler.
type policySet struct {
	dir    string
	policy *lang.Policy
	tests  *lang.TestSet    // nil unless they were read, too
	bundle *artifact.Bundle // of no use when diags holds errors
	diags  diag.List
}

// compileDir reads and compiles a policy directory. Mistakes of the author are
// in the set's diagnostics; the error is for everything else.
func (t *tool) compileDir(dir string, others foreign) (*policySet, error) {
	opts, err := t.variables()
	if err != nil {
		return nil, err
	}
	catalogue, err := policies.Catalogue()
	if err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	set := &policySet{dir: dir}
	set.policy, set.diags = lang.ParseDir(dir, opts)
	bundle, diags := compiler.Compile(set.policy, compiler.Options{
		Catalogue:     catalogue,
		ReservedBits:  others.bits,
		ReservedNames: others.names,
		Router:        others.router,
	})
	set.bundle = bundle
	set.diags.Extend(diags)
	set.diags.Sort()
	set.place()
	return set, nil
}

// compileFiles is compileDir for policy files that are in memory. name stands for
// their directory in what people read.
func (t *tool) compileFiles(name string, files map[string][]byte, others foreign) (*policySet, error) {
	opts, err := t.variables()
	if err != nil {
		return nil, err
	}
	catalogue, err := policies.Catalogue()
	if err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	set := &policySet{dir: name}
	set.policy, set.diags = lang.Parse(files, opts)
	if !set.diags.HasErrors() {
		bundle, diags := compiler.Compile(set.policy, compiler.Options{
			Catalogue: catalogue, ReservedBits: others.bits, ReservedNames: others.names,
		})
		set.bundle = bundle
		set.diags.Extend(diags)
	}
	set.place()
	return set, nil
}

// place makes the diagnostics' file names lead from the working directory to
// the file, as editors and terminals want them; lang names files relative to
// the policy directory.
func (s *policySet) place() {
	for i := range s.diags {
		if name := s.diags[i].Subject.Filename; name != "" && !filepath.IsAbs(name) {
			s.diags[i].Subject.Filename = filepath.Join(s.dir, name)
		}
	}
}

// source is the view.Sources of the set.
func (s *policySet) source(filename string) []byte {
	if src := s.policy.Source(filename); src != nil {
		return src
	}
	name := filename
	if rel, err := filepath.Rel(s.dir, filename); err == nil && !strings.HasPrefix(rel, "..") {
		name = rel
	}
	if s.tests != nil && strings.HasSuffix(name, lang.TestSuffix) {
		return s.tests.Source(name)
	}
	return s.policy.Source(name)
}

// mustCompile is compileDir for verbs that cannot go on with a faulty set: it
// prints the diagnostics and fails if there are errors.
func (t *tool) mustCompile(dir string, others foreign) (*policySet, error) {
	set, err := t.compileDir(dir, others)
	if err != nil {
		return nil, err
	}
	if err := t.report(set.diags, set.source); err != nil {
		return nil, err
	}
	return set, nil
}
