package expression

import (
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// prices is what calls cost. cel-go prices a call by its overload, and a call on
// values from the body has none until it is made: doubling a text, or looking for
// a value in a list, would cost one unit each time. So calls are priced by what
// they were given and what they made.
type prices struct {
	sizes *types.SizeCalculator // of values with all that is in them; lists and objects remember theirs
}

func newPrices() prices {
	return prices{types.NewSizeCalculator(types.SizeCalculatorMaxDepth(1000), types.SizeCalculatorMaxTraversal(1<<20))}
}

// CallCost returns the price in cost units: one for each value that is looked at,
// and for 10 bytes of text.
func (p prices) CallCost(function, _ string, args []ref.Val, result ref.Val) *uint64 {
	price := uint64(1)
	switch function {
	case operators.Equals, operators.NotEquals:
		price += min(p.weight(args[0]), p.weight(args[1]))
	case operators.In:
		price += p.weight(args[0]) + p.weight(args[1])
	case operators.Add:
		price += 10*textWeight(result) + listWeight(args[1]) // loops add to the right of a list, one by one
	case overloads.Matches:
		price += textWeight(args[0]) * (1 + 3*textWeight(args[1]))
	case "json":
		price += 10 * textWeight(args[0])
	case "join", "split":
		price += listWeight(args[0]) + listWeight(result)
		fallthrough
	default:
		for _, v := range args {
			price += textWeight(v)
		}
		price += textWeight(result)
	}
	return &price
}

// weight is for what looks at all of a value.
func (p prices) weight(v ref.Val) uint64 { return uint64(p.sizes.AggregateSize(v)) }

// textWeight is for what reads or makes a text.
func textWeight(v ref.Val) uint64 {
	switch v := v.(type) {
	case types.String:
		return uint64(len(v)+9) / 10
	case types.Bytes:
		return uint64(len(v)+9) / 10
	}
	return 0
}

// listWeight is for what goes through a list without looking into its values.
func listWeight(v ref.Val) uint64 {
	if l, ok := v.(traits.Lister); ok {
		n, _ := l.Size().(types.Int)
		return uint64(n) // #nosec G115 -- a size is not negative
	}
	return 0
}
