package importer

import (
	"fmt"

	"github.com/netpol/netpol/lang/diag"
)

// Ids of what importers report. An id is never reused and its number never
// changes; docs/import.md explains each.
const (
	// Mistakes in the input.

	// BadInput: the input is not valid JSON or YAML, or not of the format.
	BadInput = "IM001"
	// InputTooLarge: the input is over a limit of size or depth.
	InputTooLarge = "IM002"
	// WrongType: a key's value has the wrong type.
	WrongType = "IM003"
	// MissingKey: a required key is absent.
	MissingKey = "IM004"
	// BadCriteria: criteria that their own program would not accept.
	BadCriteria = "IM005"
	// UnknownAttribute: criteria name an attribute that does not exist there.
	UnknownAttribute = "IM006"
	// UnknownTarget: an action refers to a target that is not defined.
	UnknownTarget = "IM007"
	// NoTargets: an action has no targets.
	NoTargets = "IM008"
	// UnknownTargetType: a target's type does not exist.
	UnknownTargetType = "IM009"
	// BadValue: a key's value is not possible.
	BadValue = "IM010"

	// Quirks of the input that its author may not know.

	// MixedOperators: && and || mixed without parentheses.
	MixedOperators = "IM020"
	// LastStatementWins: several statements, of which the last counts.
	LastStatementWins = "IM021"
	// NeverMatches: criteria or a term that never hold.
	NeverMatches = "IM022"
	// AlwaysMatches: a term that always holds.
	AlwaysMatches = "IM023"
	// GreedyRegex: Netify before 5.2 reads a regular expression to the last quote.
	GreedyRegex = "IM024"
	// NegatedRegex: Netify before 5.2 takes != 'rx:...' as true.
	NegatedRegex = "IM025"
	// RegexCharset: Netify 5.2 cannot read the regular expression.
	RegexCharset = "IM026"
	// RegexDiffers: the regular expression was rewritten, or reads differently.
	RegexDiffers = "IM027"
	// LocalSideOnly: Netify 5.2 compares one side where both are meant.
	LocalSideOnly = "IM028"
	// EitherDiffers: != on both sides, true if either differs.
	EitherDiffers = "IM029"
	// CategoryNarrowed: category looks at more in Netify than here.
	CategoryNarrowed = "IM030"
	// CIDRAsText: Netify 4 compares CIDR blocks as text.
	CIDRAsText = "IM031"
	// LongString: a string is longer than an agent's buffer.
	LongString = "IM032"
	// RiskInCompound: Netify before 5.2 loses risks inside larger criteria.
	RiskInCompound = "IM033"
	// AttributeSpelling: an attribute was written as it stands in prose, not in the grammar.
	AttributeSpelling = "IM034"
	// UnknownSide: Netify matches nothing while the local side is not known.
	UnknownSide = "IM035"
	// UncertainAttribute: an attribute that not every agent has.
	UncertainAttribute = "IM036"
	// ActionOrder: halt_on_match makes the order of actions count.
	ActionOrder = "IM037"
	// DuplicateKey: a key stands twice; the last counts.
	DuplicateKey = "IM038"
	// UnknownKey: a key that the format does not have.
	UnknownKey = "IM039"
	// InterfaceMeaning: what an interface means differs.
	InterfaceMeaning = "IM040"

	// What could not be converted.

	// NoAttribute: netpol has no such attribute.
	NoAttribute = "IM050"
	// UnknownName: the catalogue has no such application, protocol or category.
	UnknownName = "IM051"
	// NumericID: an application, protocol or category by number.
	NumericID = "IM052"
	// UndefinedGroup: an address group whose members are not in the input.
	UndefinedGroup = "IM053"
	// NoEffect: netpol has no such effect.
	NoEffect = "IM054"
	// UnnamedBit: a label bit without a name.
	UnnamedBit = "IM055"
	// NotConverted: a key or value with no counterpart.
	NotConverted = "IM056"
	// TooComplex: criteria that are too long or too deep for netpol.
	TooComplex = "IM057"
	// NoRegex: a regular expression that RE2 cannot express.
	NoRegex = "IM058"
	// NoMark: a mark that netpol cannot write.
	NoMark = "IM059"
	// PolicyDisabled: the policy is switched off, because converting it only in part would widen it.
	PolicyDisabled = "IM060"
	// NotNeeded: a key that means nothing to netpol.
	NotNeeded = "IM061"

	// What was assumed or changed on the way.

	// Assumed: the format does not say, and netpol assumes.
	Assumed = "IM070"
	// Renamed: a name that is not allowed here was changed.
	Renamed = "IM071"
	// MarkConflict: marks that write the same bits.
	MarkConflict = "IM072"
	// HaltReaches: halt reaches policies that were not imported.
	HaltReaches = "IM073"
)

// Definition is what is fixed about an id.
type Definition struct {
	ID       string
	Severity diag.Severity
	Summary  string
}

// Definitions lists the ids above, sorted.
var Definitions = []Definition{
	{BadInput, diag.Error, "Invalid input"},
	{InputTooLarge, diag.Error, "Input too large"},
	{WrongType, diag.Error, "Wrong type of value"},
	{MissingKey, diag.Error, "Missing key"},
	{BadCriteria, diag.Error, "Invalid criteria"},
	{UnknownAttribute, diag.Error, "Unknown attribute"},
	{UnknownTarget, diag.Error, "Unknown target"},
	{NoTargets, diag.Error, "No targets"},
	{UnknownTargetType, diag.Error, "Unknown target type"},
	{BadValue, diag.Error, "Impossible value"},
	{MixedOperators, diag.Warning, "Mixed && and ||"},
	{LastStatementWins, diag.Warning, "Several statements"},
	{NeverMatches, diag.Warning, "Never matches"},
	{AlwaysMatches, diag.Warning, "Always matches"},
	{GreedyRegex, diag.Warning, "Regular expression reaches too far"},
	{NegatedRegex, diag.Warning, "Negated regular expression"},
	{RegexCharset, diag.Warning, "Regular expression not readable everywhere"},
	{RegexDiffers, diag.Warning, "Regular expression differs"},
	{LocalSideOnly, diag.Warning, "One side compared"},
	{EitherDiffers, diag.Warning, "True if either differs"},
	{CategoryNarrowed, diag.Warning, "Category reaches less far"},
	{CIDRAsText, diag.Note, "CIDR block compared as text"},
	{LongString, diag.Warning, "Long string"},
	{RiskInCompound, diag.Warning, "Risk inside larger criteria"},
	{AttributeSpelling, diag.Warning, "Attribute of the documentation"},
	{UnknownSide, diag.Note, "Unknown local side"},
	{UncertainAttribute, diag.Warning, "Uncertain attribute"},
	{ActionOrder, diag.Warning, "Order of actions"},
	{DuplicateKey, diag.Warning, "Duplicate key"},
	{UnknownKey, diag.Warning, "Unknown key"},
	{InterfaceMeaning, diag.Warning, "Interface means something else"},
	{NoAttribute, diag.Warning, "Attribute not converted"},
	{UnknownName, diag.Warning, "Name not in the catalogue"},
	{NumericID, diag.Warning, "Number instead of a name"},
	{UndefinedGroup, diag.Warning, "Address group not defined"},
	{NoEffect, diag.Warning, "Effect not converted"},
	{UnnamedBit, diag.Warning, "Label bit without a name"},
	{NotConverted, diag.Warning, "Not converted"},
	{TooComplex, diag.Warning, "Criteria too complex"},
	{NoRegex, diag.Warning, "Regular expression not converted"},
	{NoMark, diag.Warning, "Mark not converted"},
	{PolicyDisabled, diag.Warning, "Policy switched off"},
	{NotNeeded, diag.Note, "Not needed"},
	{Assumed, diag.Warning, "Assumption"},
	{Renamed, diag.Warning, "Renamed"},
	{MarkConflict, diag.Warning, "Marks in each other's way"},
	{HaltReaches, diag.Note, "Halt reaches further"},
}

// New makes the finding of an id in Definitions; an undefined id is our own bug
// and panics.
func New(id string, at diag.Range, format string, args ...any) diag.Diagnostic {
	for _, d := range Definitions {
		if d.ID == id {
			return diag.Diagnostic{Severity: d.Severity, Code: id, Summary: d.Summary, Detail: fmt.Sprintf(format, args...), Subject: at}
		}
	}
	panic("importer: undefined id " + id)
}
