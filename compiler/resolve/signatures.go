package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
)

func signatureOf(s lang.Signature) artifact.Signature {
	return artifact.Signature{Where: s.Where, Value: s.Value, Prefix: s.Prefix}
}

// signatureKey is the same for signatures that hold of the same values: capitals
// count as small letters.
func signatureKey(s artifact.Signature) string { return strings.ToLower(s.String()) }

// signatures adds those of a block to those that its application has, and leaves
// out the ones that cannot be meant.
func (o *overlay) signatures(a *lang.Application, app *artifact.Application) []artifact.Signature {
	list := app.Signatures
	for _, s := range a.Signatures {
		if o.checkSignature(s, app.Category) {
			list = append(list, signatureOf(s))
		}
	}
	slices.SortFunc(list, func(a, b artifact.Signature) int { return strings.Compare(signatureKey(a), signatureKey(b)) })
	return slices.CompactFunc(list, func(a, b artifact.Signature) bool { return signatureKey(a) == signatureKey(b) })
}

// checkSignature reports a place that nobody reads, and values that others
// write as well.
func (o *overlay) checkSignature(s lang.Signature, category string) bool {
	bad := func(hint, detail string, args ...any) bool {
		o.r.diags.Add(diag.New(diag.InvalidSignature, s.Range, fmt.Sprintf(detail, args...)).WithHint(hint))
		return false
	}
	places := artifact.SignaturePlaces()
	switch {
	case !slices.Contains(places, s.Where):
		return bad(o.r.hints.Hint(s.Where, places), "%q is not a place of a signature. Those are %s.", s.Where, strings.Join(places, ", "))
	case len(s.Value) < artifact.MinSignature:
		return bad("", "%q is too short to be what one product alone writes: it has %d characters at least.", s.Value, artifact.MinSignature)
	case s.Where != artifact.DNSName:
		return true
	case category != artifact.ResolverCategory:
		return bad("", "A dns-name is a host name that answers DNS and nothing else, which is what applications of category %q are for; this one is of %q.", artifact.ResolverCategory, category)
	}
	if s.Prefix {
		return bad("write the name without *", "A dns-name holds for all names under it already.")
	}
	if _, fault := lang.ParseDomain(s.Value); fault.Code != "" {
		fault.Subject = s.Range
		o.r.diags.Add(fault)
		return false
	}
	return true
}
