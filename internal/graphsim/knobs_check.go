package graphsim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// choices are the words of the knobs that are words, the default first.
func (k *Knobs) choices() map[string]choice {
	return map[string]choice{
		"RetryAfter":          {k.RetryAfter, []string{"seconds", "date", "absent", "huge"}},
		"ThrottleBody":        {k.ThrottleBody, []string{"documented", "short", "nested"}},
		"WhilePending":        {k.WhilePending, []string{"merge", "refuse", "queue"}},
		"GoneForm":            {k.GoneForm, []string{"ResourceNotFound", "NotFound", "Gone"}},
		"InnerError":          {k.InnerError, []string{"innerError", "innererror", "nested"}},
		"Approval":            {k.Approval, []string{"off", "documented", "field"}},
		"JustificationStatus": {statusWord(k.JustificationStatus), []string{"400", "403"}},
	}
}

type choice struct {
	is  string
	may []string
}

func statusWord(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// Check says which knobs cannot be turned so far, each with what it may be.
func (k Knobs) Check() error {
	var bad []error
	for name, c := range k.choices() {
		if c.is != "" && !slices.Contains(c.may, c.is) {
			bad = append(bad, fmt.Errorf("%s must be one of: %s", name, strings.Join(c.may, ", ")))
		}
	}
	for name, n := range map[string]int{
		"PostLimitApp": k.PostLimitApp, "PostLimitTenant": k.PostLimitTenant, "AnyLimitApp": k.AnyLimitApp,
		"AnyLimitTenant": k.AnyLimitTenant, "ItemCap": k.ItemCap,
	} {
		if n < 0 || n > 1_000_000 {
			bad = append(bad, fmt.Errorf("%s must be 0 to 1000000", name))
		}
	}
	for name, d := range map[string]time.Duration{
		"Window": k.Window, "ShowLag": k.ShowLag, "CheckIn": k.CheckIn, "AutoRestore": k.AutoRestore,
		"AutoRestoreSpread": k.AutoRestoreSpread, "ForgetRestored": k.ForgetRestored,
		"TokenLife": k.TokenLife, "CAETokenLife": k.CAETokenLife, "RefreshIn": k.RefreshIn,
	} {
		if d < 0 {
			bad = append(bad, fmt.Errorf("%s must not be negative", name))
		}
	}
	if k.ClockSkew < -maxSkew || k.ClockSkew > maxSkew {
		bad = append(bad, fmt.Errorf("ClockSkew must be -%v to %v", maxSkew, maxSkew))
	}
	slices.SortFunc(bad, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(bad...)
}
