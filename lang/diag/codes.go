package diag

// Codes of the front end, lang and compiler/resolve. A code is never reused
// and its number never changes; later stages of the compiler begin at NP0300.
const (
	// BadSyntax: the file is not valid HCL.
	BadSyntax = "NP0001"
	// UnreadableFile: a file or directory could not be read.
	UnreadableFile = "NP0002"
	// NoPolicyFiles: the directory holds no *.netpol.hcl file.
	NoPolicyFiles = "NP0003"
	// NotRegularFile: a symbolic link, FIFO, device or directory stands where a policy file should.
	NotRegularFile = "NP0004"
	// TooLarge: a file, string or directory is over its size limit.
	TooLarge = "NP0005"
	// TooDeep: brackets, templates or operators nest too deeply, or a number is too long.
	TooDeep = "NP0006"
	// UnknownBlock: the block type does not exist.
	UnknownBlock = "NP0007"
	// UnknownArgument: the block has no argument of that name.
	UnknownArgument = "NP0008"
	// MissingArgument: a required argument is absent.
	MissingArgument = "NP0009"
	// WrongBlockLabels: a block has too many or too few names after its type.
	WrongBlockLabels = "NP0010"
	// Duplicate: the same thing is defined twice.
	Duplicate = "NP0011"
	// UnknownApplication: no application of the catalogue has that tag.
	UnknownApplication = "NP0012"
	// WrongValueType: an argument's value has the wrong type.
	WrongValueType = "NP0013"
	// InvalidName: a policy, group, variable, application or category has a name that is not allowed.
	InvalidName = "NP0014"
	// InvalidLabel: a conntrack label's name is not allowed.
	InvalidLabel = "NP0015"
	// InvalidMark: a mark or its mask cannot be read or does not fit.
	InvalidMark = "NP0016"
	// InvalidDSCP: the DSCP value does not exist.
	InvalidDSCP = "NP0017"
	// InvalidVerdict: the verdict does not exist.
	InvalidVerdict = "NP0018"
	// InvalidAddress: an address or CIDR block cannot be read.
	InvalidAddress = "NP0019"
	// HostBitsSet: a CIDR block has address bits right of its prefix length.
	HostBitsSet = "NP0020"
	// InvalidPort: a port or port range cannot be read or is out of range.
	InvalidPort = "NP0021"
	// InvalidDomain: a domain cannot be read.
	InvalidDomain = "NP0022"
	// NumberOutOfRange: a number is outside what its place allows.
	NumberOutOfRange = "NP0023"
	// InvalidExpression: a value could not be evaluated.
	InvalidExpression = "NP0024"
	// UndefinedVariable: --var names a variable that no file declares.
	UndefinedVariable = "NP0025"
	// MissingVariable: a variable has neither a default nor a value.
	MissingVariable = "NP0026"
	// CyclicLocals: locals refer to each other in a circle.
	CyclicLocals = "NP0027"
	// ConflictingArguments: two arguments cannot stand together.
	ConflictingArguments = "NP0028"
	// NoEffect (warning): a policy matches but does nothing.
	NoEffect = "NP0029"
	// LockedBitRange: a locked label's bit is outside 0..127.
	LockedBitRange = "NP0030"
	// InvalidVariableType: a variable's type is not string, number, bool or list.
	InvalidVariableType = "NP0031"
	// InterpolatedCriteria: a criterion holds a template sequence.
	InterpolatedCriteria = "NP0032"
	// EmptyCriteria: a criterion is empty.
	EmptyCriteria = "NP0033"
	// InvalidModule: a module's source is no directory inside the policy directory.
	InvalidModule = "NP0035"
	// CyclicModules: a module uses itself.
	CyclicModules = "NP0036"
	// InvalidPath: a file's name leads out of the policy directory or is no path.
	InvalidPath = "NP0037"
	// InvalidSchedule: the days, hours or dates of a schedule cannot be read or are none.
	InvalidSchedule = "NP0038"
	// InvalidTimeZone: the time zone database has no such name.
	InvalidTimeZone = "NP0039"
	// InvalidOnFail: on_fail is neither open nor closed.
	InvalidOnFail = "NP0040"
	// EmptyList: a list without elements would mean never.
	EmptyList = "NP0041"
	// InvalidPriority: a packet's priority is neither a class nor a number.
	InvalidPriority = "NP0042"
	// InvalidAnswer: reject_with is none of its words.
	InvalidAnswer = "NP0043"
	// InvalidSharer: what a count, quota or rate is kept for is none of its words.
	InvalidSharer = "NP0044"
	// InvalidPrefix: the prefix of a log line cannot be written there.
	InvalidPrefix = "NP0045"
	// InvalidInspect: inspect is neither needed nor all.
	InvalidInspect = "NP0046"
	// InvalidSet: an argument of a set block cannot be read or does not suit it.
	InvalidSet = "NP0047"
	// InvalidOnOverload: on_overload is neither open nor closed.
	InvalidOnOverload = "NP0048"
	// InvalidSink: an argument of a sink block cannot be read or does not suit it.
	InvalidSink = "NP0049"
	// UnknownTunnel: netpold does not look into such an encapsulation.
	UnknownTunnel = "NP0050"
	// InvalidAggregate: an argument of an aggregate block cannot be read or does not
	// suit it.
	InvalidAggregate = "NP0051"
	// InvalidFilter: a filter of an input asks for what a single packet's headers do
	// not tell, or bypass names no address.
	InvalidFilter = "NP0052"
	// InvalidInput: an argument of an input block is none of its values.
	InvalidInput = "NP0054"
	// InvalidSignature: a signature of an application names no place, or holds of
	// more than one product.
	InvalidSignature = "NP0053"

	// CriteriaSyntax: a criterion is not a valid expression.
	CriteriaSyntax = "NP0100"
	// UnknownAttribute: a criterion names an attribute that does not exist.
	UnknownAttribute = "NP0101"
	// UnknownProtocol: no protocol of the catalogue has that tag.
	UnknownProtocol = "NP0102"
	// UnknownCategory: no category of the catalogue has that tag.
	UnknownCategory = "NP0103"
	// UnknownFunction: a criterion calls a function that does not exist.
	UnknownFunction = "NP0104"
	// WrongOperator: the operator does not work on that type of attribute.
	WrongOperator = "NP0105"
	// WrongConstant: a constant has the wrong type for the attribute.
	WrongConstant = "NP0106"
	// MixedList: a list holds constants of different types.
	MixedList = "NP0107"
	// NotACondition: an expression stands where true or false is needed.
	NotACondition = "NP0108"
	// NetifyRegex: Netify's 'rx:' strings are not regular expressions here.
	NetifyRegex = "NP0109"
	// InvalidRegex: a regular expression cannot be read.
	InvalidRegex = "NP0110"
	// InvalidTLSVersion: the TLS version does not exist.
	InvalidTLSVersion = "NP0111"
	// UndefinedGroup: no address_group has that name.
	UndefinedGroup = "NP0112"
	// CyclicGroups: address groups hold each other in a circle.
	CyclicGroups = "NP0113"
	// ConstantCondition (warning): a condition is always true or always false.
	ConstantCondition = "NP0114"
	// MixedAndOr (warning): and and or stand side by side without parentheses.
	MixedAndOr = "NP0115"
	// UnsupportedExpression: the expression language has it, criteria have not.
	UnsupportedExpression = "NP0116"
	// TooComplex: a criterion grows too large when it is expanded.
	TooComplex = "NP0117"
	// ExistingInCatalogue: a category block names one that the catalogue already has.
	ExistingInCatalogue = "NP0118"
	// ReservedMark: a policy's mark overlaps the enforcer's own bit.
	ReservedMark = "NP0119"
	// UnknownEvidence: the attribute "by" has no such value.
	UnknownEvidence = "NP0120"
	// InvalidInterface: no interface can have that name.
	InvalidInterface = "NP0121"
	// EmptyRange: a range's first number is greater than its last.
	EmptyRange = "NP0122"
	// UnknownWord: an attribute, or an element of a list, has no such value.
	UnknownWord = "NP0130"
	// InvalidMAC: a hardware address cannot be read.
	InvalidMAC = "NP0131"
	// UndefinedSchedule: no schedule block has that name.
	UndefinedSchedule = "NP0132"
	// InvalidTime: a time of day cannot be read.
	InvalidTime = "NP0133"
	// InvalidQuantity: a number with a unit cannot be read, or is of another unit.
	InvalidQuantity = "NP0134"
	// NotToCalculate: arithmetic reads an attribute that is known to the kernel alone.
	NotToCalculate = "NP0135"
	// UndefinedSet: no set block has that name.
	UndefinedSet = "NP0136"
	// UndefinedSink: no sink block has that name.
	UndefinedSink = "NP0137"
	// NotTold: a sink's condition asks for what netpold is not told.
	NotTold = "NP0138"
	// NoDatabase: whose an address is, is asked for, and no file says it.
	NoDatabase = "NP0139"
	// TakenLabel: a policy's label, or another application's, has the name of one
	// that the netpol block asks for.
	TakenLabel = "NP0140"
	// UnknownBrand: no brand of the catalogue has that tag.
	UnknownBrand = "NP0141"
	// InvalidBrand: an application cannot be part of that brand.
	InvalidBrand = "NP0142"
	// UndefinedPolicy: no policy has that name.
	UndefinedPolicy = "NP0143"
	// NotDecided: a policy asks for what is measured of a connection after it was decided.
	NotDecided = "NP0144"
)

// Definition is what is fixed about a code.
type Definition struct {
	Code     string
	Severity Severity
	Summary  string
}

// Definitions lists the codes above, sorted.
var Definitions = []Definition{
	{BadSyntax, Error, "Invalid syntax"},
	{UnreadableFile, Error, "Unreadable file"},
	{NoPolicyFiles, Error, "No policy files"},
	{NotRegularFile, Error, "Not a regular file"},
	{TooLarge, Error, "Input too large"},
	{TooDeep, Error, "Nested too deeply"},
	{UnknownBlock, Error, "Unknown block type"},
	{UnknownArgument, Error, "Unknown argument"},
	{MissingArgument, Error, "Missing required argument"},
	{WrongBlockLabels, Error, "Wrong number of block names"},
	{Duplicate, Error, "Duplicate definition"},
	{UnknownApplication, Error, "Unknown application"},
	{WrongValueType, Error, "Wrong type of value"},
	{InvalidName, Error, "Invalid name"},
	{InvalidLabel, Error, "Invalid label name"},
	{InvalidMark, Error, "Invalid mark"},
	{InvalidDSCP, Error, "Invalid DSCP"},
	{InvalidVerdict, Error, "Invalid verdict"},
	{InvalidAddress, Error, "Invalid address"},
	{HostBitsSet, Error, "Host bits set"},
	{InvalidPort, Error, "Invalid port"},
	{InvalidDomain, Error, "Invalid domain"},
	{NumberOutOfRange, Error, "Number out of range"},
	{InvalidExpression, Error, "Invalid expression"},
	{UndefinedVariable, Error, "Undeclared variable"},
	{MissingVariable, Error, "Variable without a value"},
	{CyclicLocals, Error, "Circular locals"},
	{ConflictingArguments, Error, "Conflicting arguments"},
	{NoEffect, Warning, "Policy has no effect"},
	{LockedBitRange, Error, "Label bit out of range"},
	{InvalidVariableType, Error, "Invalid variable type"},
	{InterpolatedCriteria, Error, "Template in criteria"},
	{EmptyCriteria, Error, "Empty criteria"},
	{InvalidModule, Error, "Invalid module source"},
	{CyclicModules, Error, "Circular modules"},
	{InvalidPath, Error, "Invalid path"},
	{InvalidSchedule, Error, "Invalid schedule"},
	{InvalidTimeZone, Error, "Unknown time zone"},
	{InvalidOnFail, Error, "Invalid on_fail"},
	{EmptyList, Error, "Empty list"},
	{InvalidPriority, Error, "Invalid priority"},
	{InvalidAnswer, Error, "Invalid reject_with"},
	{InvalidSharer, Error, "Invalid rate_per, quota_per or count"},
	{InvalidPrefix, Error, "Invalid log prefix"},
	{InvalidInspect, Error, "Invalid inspect"},
	{InvalidSet, Error, "Invalid set"},
	{InvalidOnOverload, Error, "Invalid on_overload"},
	{InvalidSink, Error, "Invalid sink"},
	{UnknownTunnel, Error, "Unknown encapsulation"},
	{InvalidAggregate, Error, "Invalid aggregate"},
	{InvalidFilter, Error, "Invalid filter"},
	{InvalidSignature, Error, "Invalid signature"},
	{InvalidInput, Error, "Invalid input"},
	{CriteriaSyntax, Error, "Invalid criteria"},
	{UnknownAttribute, Error, "Unknown attribute"},
	{UnknownProtocol, Error, "Unknown protocol"},
	{UnknownCategory, Error, "Unknown category"},
	{UnknownFunction, Error, "Unknown function"},
	{WrongOperator, Error, "Wrong operator"},
	{WrongConstant, Error, "Wrong constant"},
	{MixedList, Error, "Mixed list"},
	{NotACondition, Error, "Not a condition"},
	{NetifyRegex, Error, "Netify regular expression"},
	{InvalidRegex, Error, "Invalid regular expression"},
	{InvalidTLSVersion, Error, "Invalid TLS version"},
	{UndefinedGroup, Error, "Undefined group"},
	{CyclicGroups, Error, "Circular groups"},
	{ConstantCondition, Warning, "Condition never changes"},
	{MixedAndOr, Warning, "Mixed and/or"},
	{UnsupportedExpression, Error, "Unsupported expression"},
	{TooComplex, Error, "Criteria too complex"},
	{ExistingInCatalogue, Error, "Already in the catalogue"},
	{ReservedMark, Error, "Reserved mark"},
	{UnknownEvidence, Error, "Unknown evidence"},
	{InvalidInterface, Error, "Invalid interface name"},
	{EmptyRange, Error, "Empty range"},
	{UnknownWord, Error, "Unknown word"},
	{InvalidMAC, Error, "Invalid MAC address"},
	{UndefinedSchedule, Error, "Undefined schedule"},
	{InvalidTime, Error, "Invalid time of day"},
	{InvalidQuantity, Error, "Invalid quantity"},
	{NotToCalculate, Error, "Attribute without arithmetic"},
	{UndefinedSet, Error, "Undefined set"},
	{UndefinedSink, Error, "Undefined sink"},
	{NotTold, Error, "Attribute known to the kernel only"},
	{NoDatabase, Error, "No database"},
	{TakenLabel, Error, "Label name is taken"},
	{UnknownBrand, Error, "Unknown brand"},
	{InvalidBrand, Error, "Invalid brand"},
	{UndefinedPolicy, Error, "Undefined policy"},
	{NotDecided, Error, "Attribute known to records only"},
}

// New makes the diagnostic of a code in Definitions; an undefined code is our
// own bug and panics.
func New(code string, subject Range, detail string) Diagnostic {
	for _, d := range Definitions {
		if d.Code == code {
			return Diagnostic{Severity: d.Severity, Code: code, Summary: d.Summary, Detail: detail, Subject: subject}
		}
	}
	panic("diag: undefined code " + code)
}

// WithHint is d with a suggestion.
func (d Diagnostic) WithHint(hint string) Diagnostic {
	d.Hint = hint
	return d
}
