package lang

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/suggest"
)

// startPos is where every file begins.
var startPos = hcl.Pos{Line: 1, Column: 1, Byte: 0}

// Options steer the reading of a policy directory.
type Options struct {
	// Vars are the values given on the command line, by variable name. A value
	// is converted to the variable's type; a list is written ["a", "b"].
	Vars map[string]string
	// VarFiles are files of values that count more than those of the directory,
	// the last one most, and less than Vars.
	VarFiles []VarFile
}

// ParseDir reads the *.netpol.hcl files of a directory, its lock file, and the
// files that these name. The policy is never nil and holds whatever could be
// read.
func ParseDir(dir string, opts Options) (*Policy, diag.List) {
	var diags diag.List
	files, root := readDir(dir, &diags)
	var below tree = mapTree(files)
	if root != nil {
		defer root.Close()
		below = dirTree{root}
	}
	p, more := parse(files, below, opts)
	p.Dir = dir
	p.Incomplete = p.Incomplete || blocksMissing(diags)
	diags.Extend(more)
	diags.Sort()
	return p, diags
}

// Parse is ParseDir without the directory: files maps names to their bytes.
// Those with a slash lie below the directory and are read where they are named.
func Parse(files map[string][]byte, opts Options) (*Policy, diag.List) {
	return parse(files, mapTree(files), opts)
}

func parse(files map[string][]byte, below tree, opts Options) (*Policy, diag.List) {
	top := maps.Clone(files)
	maps.DeleteFunc(top, func(name string, _ []byte) bool { return strings.Contains(name, "/") })
	if top == nil {
		top = map[string][]byte{}
	}
	d := &decoder{
		out:     &Policy{sources: maps.Clone(top), Settings: defaultSettings(), Lock: &Lock{}},
		scope:   newScope(),
		tree:    below,
		modules: map[string][]*hclsyntax.Block{},
		defined: map[string]diag.Range{},
		work:    workFor(top),
	}
	var blocks []*hclsyntax.Block
	for _, name := range slices.Sorted(maps.Keys(top)) {
		if name != LockName && !strings.HasSuffix(name, VarSuffix) && !strings.HasSuffix(name, ListSuffix) {
			blocks = append(blocks, d.parseFile(name, top[name])...)
		}
	}
	// The settings come first: the default mask of marks depends on them.
	slices.SortStableFunc(blocks, func(a, b *hclsyntax.Block) int {
		return settingsFirst(a) - settingsFirst(b)
	})
	d.rootInputs(top, opts)
	d.decodeScope(blocks, nil)
	slices.SortStableFunc(d.out.Policies, func(a, b *PolicyBlock) int { return a.Order - b.Order })
	if src, ok := top[LockName]; ok {
		d.out.Lock = d.decodeLock(LockName, src)
	}
	d.diags.Compact()
	d.diags.Sort()
	d.out.Incomplete = blocksMissing(d.diags)
	return d.out, d.diags
}

// blocksMissing says that whole blocks could not be read, not parts of them.
func blocksMissing(diags diag.List) bool {
	return slices.ContainsFunc(diags, func(d diag.Diagnostic) bool {
		switch d.Code {
		case diag.BadSyntax, diag.UnreadableFile, diag.NotRegularFile, diag.TooLarge, diag.TooDeep,
			diag.UnknownBlock, diag.WrongBlockLabels, diag.InvalidName:
			return true
		}
		return false
	})
}

func settingsFirst(b *hclsyntax.Block) int {
	if b.Type == "netpol" {
		return 0
	}
	return 1
}

// decoder gathers one policy set. Its methods report mistakes to diags and go
// on with what is left.
type decoder struct {
	out     *Policy
	diags   diag.List
	*scope                                // of the module that is being decoded
	tree    tree                          // where named files are read
	modules map[string][]*hclsyntax.Block // by directory; nil for one without files
	defined map[string]diag.Range         // "policy zoom" -> where, to find duplicates
	work    int                           // what evaluating may still cost; see cost.go
	hints   suggest.Budget
	library map[string]function.Function // nil until something is evaluated

	each   *each // what the policy is made from; nil without for_each
	copies int   // policies made by for_each and modules so far
	words  int   // of all files so far, as density counts them

	crowded   bool            // more policies than there may be
	cut       bool            // more mistakes than are told; see full
	zoneHints int             // given so far
	stretches int             // of hours, in all schedules so far
	zones     map[string]bool // time zones that were looked up, and whether they exist

	bodies   []*hclsyntax.Body // of all files, for verbatim
	searched int               // how many of bodies are in written
	written  map[string]bool
	given    []cty.Value // values from outside the files
}

// parseBody checks a file's limits and parses it; nil when neither is possible.
func (d *decoder) parseBody(name string, src []byte) *hclsyntax.Body {
	if len(src) > MaxFileBytes {
		d.diags.Add(diag.New(diag.TooLarge, fileRange(name), fmt.Sprintf("%s is larger than %d KiB. Split it into several files.", name, MaxFileBytes>>10)))
		return nil
	}
	if d.words > maxSetTokens {
		return nil // told
	}
	if d.words += density(src); d.words > maxSetTokens {
		d.diags.Add(diag.New(diag.TooLarge, fileRange(name), fmt.Sprintf("With %s the files of the set hold more than %d words and signs. Say the same with for_each, modules or lists of addresses in files.", name, maxSetTokens)))
		return nil
	}
	if !checkText(name, src, &d.diags) || !checkTokens(name, src, &d.diags) {
		return nil
	}
	file, hclDiags := hclsyntax.ParseConfig(src, name, startPos)
	addHCL(&d.diags, diag.BadSyntax, src, hclDiags)
	if file == nil {
		return nil
	}
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok {
		return nil
	}
	return body
}

// parseFile returns the blocks of one policy file.
func (d *decoder) parseFile(name string, src []byte) []*hclsyntax.Block {
	body := d.parseBody(name, src)
	if body == nil {
		return nil
	}
	d.bodies = append(d.bodies, body)
	for _, a := range sortedAttributes(body) {
		d.diags.Add(diag.New(diag.UnknownArgument, toRange(a.NameRange),
			fmt.Sprintf("%q stands outside of any block. Settings belong into a netpol block, values to share into a locals block.", a.Name)))
	}
	return body.Blocks
}
