package lang

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/netpol/netpol/lang/diag"
)

// Bounds of modules.
const (
	maxModuleDepth = 8
	// moduleCost and blockCost are what a module and each block in it take from
	// the budget, whatever they hold; see cost.go.
	moduleCost = 4096
	blockCost  = 256
)

// scope is what belongs to one use of a module, or to the policy set itself.
type scope struct {
	module string   // "iot", "iot/cameras"; empty for the set itself
	dir    string   // of its files, from the policy directory
	dirs   []string // of the modules that this one is used in, outermost first

	vars   map[string]*variable
	locals map[string]*local
	inputs map[string]input // values of its variables

	varNames, localNames []string // sorted; nil until a suggestion needs them
}

func newScope() *scope {
	return &scope{dir: ".", vars: map[string]*variable{}, locals: map[string]*local{}, inputs: map[string]input{}}
}

// rootBlocks lists the types of blocks that are the whole set's.
func rootBlocks() []string { return []string{"application", "category", "input", "netpol"} }

// decodeModule decodes the blocks of a directory in a scope of their own, once
// for each element of for_each.
func (d *decoder) decodeModule(b *hclsyntax.Block) {
	name := b.Labels[0]
	if !nameInGroup(name) {
		d.diags.Add(diag.New(diag.InvalidName, nameRange(b), fmt.Sprintf("%q is not a name for a module: it begins with a letter, holds letters, digits, _ and -, and is at most 63 long.", name)))
		return
	}
	if !d.define("module "+name, fmt.Sprintf("module %q", name), headerRange(b)) {
		return
	}
	a, ok := b.Body.Attributes["for_each"]
	if !ok {
		d.useModule(b, name)
		return
	}
	for _, e := range d.forEach(a) {
		if why := badModuleKey(e.key); why != "" {
			d.diags.Add(diag.New(diag.InvalidName, toRange(a.Expr.Range()),
				fmt.Sprintf("The element %q would make a module named \"%s(%s)\", which cannot be: %s. Use a map, whose keys become part of the name and whose values need not.", e.key, name, e.key, why)))
			continue
		}
		d.each = &e
		d.useModule(b, name+"("+e.key+")")
		d.each = nil
	}
}

// badModuleKey says what is wrong with a key that becomes part of a module's
// name. A slash is what parts modules, a comma the schedules that are in force.
func badModuleKey(key string) string {
	if key == "" {
		return "the key is empty"
	}
	for i := range len(key) {
		if c := key[i]; !isLetter(c) && !isDigit(c) && !strings.ContainsRune(" -_.:", rune(c)) {
			return "a key of a module holds letters, digits, spaces and - _ . :"
		}
	}
	return ""
}

// useModule decodes a module once, under a name: the block's, with the key of
// for_each.
func (d *decoder) useModule(b *hclsyntax.Block, name string) {
	a := d.require(b, "source", `source = "./cameras"`)
	if a == nil {
		return
	}
	dir, ok := d.moduleDir(d.text(b, "source", `"./cameras"`))
	if !ok {
		return
	}
	blocks, ok := d.moduleBlocks(dir, toRange(a.Expr.Range()))
	if !ok || !d.spend(moduleCost+blockCost*len(blocks), headerRange(b)) {
		return
	}
	inner := newScope()
	inner.module, inner.dir = qualify(d.module, name), dir
	inner.dirs = append(slices.Clone(d.dirs), d.dir)
	inner.inputs = d.moduleInputs(b)
	outer, each := d.scope, d.each
	d.scope, d.each = inner, nil
	d.decodeScope(blocks, b)
	d.scope, d.each = outer, each
}

// moduleDir is the directory that a source argument names.
func (d *decoder) moduleDir(source Text) (string, bool) {
	if source.Range.IsZero() {
		return "", false
	}
	bad := func(code, why string) (string, bool) {
		d.diags.Add(diag.New(code, source.Range, fmt.Sprintf("%q is not a source of a module: %s.", source.Value, why)))
		return "", false
	}
	if !strings.HasPrefix(source.Value, "./") && !strings.HasPrefix(source.Value, "../") {
		return bad(diag.InvalidModule, "it is a directory below the policy directory, written from that of this file, and begins with ./")
	}
	dir, why := inside(d.dir, source.Value)
	switch {
	case why != "":
		return bad(diag.InvalidModule, why)
	case dir == d.dir || slices.Contains(d.dirs, dir):
		return bad(diag.CyclicModules, "the directory would be used inside of itself")
	case len(d.dirs) >= maxModuleDepth:
		return bad(diag.TooDeep, fmt.Sprintf("modules may use each other %d deep", maxModuleDepth))
	}
	return dir, true
}

// moduleBlocks parses the files of a directory, once however often it is used.
func (d *decoder) moduleBlocks(dir string, at diag.Range) ([]*hclsyntax.Block, bool) {
	if blocks, ok := d.modules[dir]; ok {
		return blocks, blocks != nil
	}
	names, err := d.tree.list(dir)
	if err != nil {
		why := err.Error()
		if errors.Is(err, fs.ErrNotExist) {
			why = "the policy directory holds no such directory"
		}
		d.diags.Add(diag.New(diag.InvalidModule, at, fmt.Sprintf("The module's directory %s cannot be read: %s.", dir, why)))
		return nil, false
	}
	blocks, found := []*hclsyntax.Block{}, false
	for _, name := range names {
		if !strings.HasSuffix(name, PolicySuffix) || strings.HasPrefix(path.Base(name), ".") {
			continue
		}
		found = true
		if src, ok := d.readFile(name, at); ok {
			blocks = append(blocks, d.parseFile(name, src)...)
		}
	}
	if !found {
		d.diags.Add(diag.New(diag.NoPolicyFiles, at, fmt.Sprintf("The module's directory %s holds no file whose name ends in %s.", dir, PolicySuffix)))
		blocks = nil
	}
	d.modules[dir] = blocks
	return blocks, found
}

// moduleInputs evaluates the arguments of a module block, which are the values
// of the module's variables.
func (d *decoder) moduleInputs(b *hclsyntax.Block) map[string]input {
	out := map[string]input{}
	for _, a := range sortedAttributes(b.Body) {
		if a.Name != "source" && a.Name != "for_each" {
			out[a.Name] = input{value: d.value(a.Expr), at: toRange(a.Expr.Range()), name: toRange(a.NameRange)}
		}
	}
	return out
}

// decodeScope decodes blocks in the scope that is set. user is the module
// block, nil for the policy set itself.
func (d *decoder) decodeScope(blocks []*hclsyntax.Block, user *hclsyntax.Block) {
	d.declare(blocks)
	d.evaluate(user)
	for _, b := range blocks {
		if d.full(headerRange(b)) {
			return
		}
		if user != nil && slices.Contains(rootBlocks(), b.Type) {
			d.diags.Add(diag.New(diag.UnknownBlock, toRange(b.TypeRange), fmt.Sprintf("A block of type %s is the whole policy set's, so it stands in the policy directory's own files and not in a module.", b.Type)))
			continue
		}
		d.decodeBlock(b)
	}
}

// qualify is a name as the whole set knows it.
func (d *decoder) qualify(name string) string { return qualify(d.module, name) }

func qualify(module, name string) string {
	if module == "" {
		return name
	}
	return module + "/" + name
}
