package program

import (
	"errors"
	"fmt"

	"github.com/expr-lang/expr/vm"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

// Errors of Load, to be told apart with errors.Is.
var (
	ErrABI     = errors.New("bundle was compiled against other facts")
	ErrEngine  = errors.New("bundle was compiled for another expression engine")
	errInvalid = errors.New("invalid program")
)

// Program is a loaded decision program. It is immutable and safe for
// concurrent use; the changing state of an evaluation is in a Machine.
type Program struct {
	tests    []test
	clauses  []clause
	codes    []*vm.Program
	effects  []effect
	indexes  indexes
	own      labels // all label bits of the bundle
	markMask uint32 // all mark bits that policies write
	// What rules of the kernel's set as well: it is never cleared here.
	sticky     labels
	noTrack    bool // some policy keeps flows from being tracked
	stickyMark uint32
	source     *artifact.Bundle
}

// clause is one conjunction, without the literal that its index answers.
type clause struct {
	policy int32
	rest   []artifact.Literal
}

// Load checks a bundle's program and builds its indexes. The bundle must not
// change afterwards.
func Load(b *artifact.Bundle) (*Program, error) {
	p, err := load(b)
	if err != nil {
		return nil, fmt.Errorf("load program: %w", err)
	}
	return p, nil
}

func load(b *artifact.Bundle) (*Program, error) {
	if abi := fact.ABI(); b.ABI != abi {
		return nil, fmt.Errorf("bundle has facts %s, this program %s; compile and apply the policies again: %w", b.ABI, abi, ErrABI)
	}
	if b.Program.Engine != artifact.Engine {
		return nil, fmt.Errorf("bundle needs %q, this program has %q; compile and apply the policies again: %w", b.Program.Engine, artifact.Engine, ErrEngine)
	}
	p := &Program{source: b}
	for _, step := range []func(*artifact.Bundle) error{p.loadCodes, p.loadTests, p.loadClauses, p.loadEffects} {
		if err := step(b); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// loadClauses files each clause under its access literal.
func (p *Program) loadClauses(b *artifact.Bundle) error {
	build := newIndexBuilder(p.tests)
	p.clauses = make([]clause, len(b.Program.Clauses))
	for i, c := range b.Program.Clauses {
		if c.Policy < 0 || c.Policy >= len(b.Policies) {
			return fmt.Errorf("clause %d: policy %d of %d: %w", i, c.Policy, len(b.Policies), errInvalid)
		}
		for _, l := range c.If {
			if l.Test() >= len(p.tests) {
				return fmt.Errorf("clause %d: test %d of %d: %w", i, l.Test(), len(p.tests), errInvalid)
			}
		}
		rest, err := build.add(int32(i), c)
		if err != nil {
			return fmt.Errorf("clause %d: %w", i, err)
		}
		p.clauses[i] = clause{policy: int32(c.Policy), rest: rest}
	}
	p.indexes = build.finish()
	return nil
}
