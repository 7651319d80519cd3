package graphsim_test

import (
	"strings"
	"testing"
	"time"

	"changerelay/internal/graphsim"
)

// Line 3: which permission is enough, which platforms have the feature, and the switches for both.
func TestPermissionSwitch(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	for _, role := range []string{"DeviceManagementManagedDevices.Read.All", "DeviceManagementConfiguration.Read.All"} {
		r.AddApp(tenantID, graphsim.App{ClientID: "reader", ClientSecret: "x", Roles: []string{role}})
		r.token = r.login("reader", "x")
		for old, status := range map[bool]int{false: 403, true: 204} {
			r.turn(func(k *graphsim.Knobs) { k.ReadRolePosts = old })
			want(t, role, r.must("POST", action(phone), setOf(appA)).status, status)
		}
	}
}

func TestPlatforms(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	for _, c := range []struct {
		platform, owner string
		status          int
	}{
		{"iOS", "personal", 204}, {"iPadOS", "", 204}, {"AndroidEnterprise", "company", 204}, {"AndroidEnterprise", "personal", 400},
		{"androidDeviceAdministrator", "company", 400}, {"AndroidAOSP", "company", 400}, {"Windows", "", 400}, {"macOS", "", 400},
	} {
		r.AddTenant(graphsim.Tenant{ID: tenantID, ClientID: clientID, ClientSecret: "s3cret"},
			graphsim.Device{ID: "tried", Platform: c.platform, Ownership: c.owner})
		a := r.must("POST", action("tried"), setOf(appA))
		want(t, c.platform+" "+c.owner, a.status, c.status)
		if c.status == 400 {
			if _, message := a.code(t); !strings.Contains(message, "An error has occurred") {
				t.Errorf("%s: %s", c.platform, message)
			}
		}
	}
}

// Line 3: an unknown device, in the three ways that it may be said.
func TestGoneForms(t *testing.T) {
	for form, expected := range map[string]string{"": "404 ResourceNotFound", "ResourceNotFound": "404 ResourceNotFound", "NotFound": "404 NotFound", "Gone": "410 Gone"} {
		r := with(t, func(k *graphsim.Knobs) { k.GoneForm = form })
		r.DeleteDevice(tenantID, phone)
		for _, a := range []answer{r.must("POST", action(phone), setOf(appA)), r.must("GET", managed(phone), "")} {
			code, _ := a.code(t)
			want(t, form, line(a.status, code), expected)
		}
	}
}

// Line 3: what the page leaves open about a set, each way.
func TestSetSwitches(t *testing.T) {
	twice := strings.Replace(setOf(appA, appA), appA, strings.ToUpper(appA), 1)
	var many []string
	for range 31 {
		many = append(many, "item-"+string(rune('A'+len(many))))
	}
	for _, c := range []struct {
		name, body string
		off, on    int
		turn       func(k *graphsim.Knobs)
	}{
		{"cap", setOf(many...), 400, 204, func(k *graphsim.Knobs) { k.ItemCap = 0 }},
		{"empty", setOf(), 204, 400, func(k *graphsim.Knobs) { k.EmptyRestoresAll = false }},
		{"null", `{"deviceAssignmentItems":null}`, 400, 204, func(k *graphsim.Knobs) { k.NullIsEmpty = true }},
		{"absent", `{}`, 400, 204, func(k *graphsim.Knobs) { k.NullIsEmpty = true }},
		{"twice", twice, 400, 204, func(k *graphsim.Knobs) { k.MergeDuplicates = true }},
		{"read-only", strings.Replace(setOf(appA), `"itemId"`, `"errorCode":0,"itemId"`, 1), 204, 400, func(k *graphsim.Knobs) { k.RefuseReadOnlyFields = true }},
	} {
		r := newRig(t, graphsim.Options{})
		want(t, c.name+", default", r.must("POST", action(phone), c.body).status, c.off)
		r.turn(c.turn)
		want(t, c.name+", switched", r.must("POST", action(phone), c.body).status, c.on)
	}
}

// Line 4: a POST while the last one is pending.
func TestWhilePending(t *testing.T) {
	for word, expected := range map[string]string{"": "204 b", "merge": "204 b", "refuse": "409 a", "queue": "204 a"} {
		r := with(t, func(k *graphsim.Knobs) { k.WhilePending = word })
		r.post(phone, appA)
		r.Advance(10 * time.Second)
		status := r.must("POST", action(phone), setOf(appB)).status
		want(t, word, line(status, r.held(phone)), expected)
		if word == "queue" {
			r.Advance(50 * time.Second)
			want(t, "its turn", r.listed(phone), "a:restore/initiated b:remove/initiated")
			r.Advance(time.Minute)
			want(t, "and done", r.listed(phone), "a:restore/succeeded b:remove/removed")
		}
	}
}

// Line 4: the same set twice changes nothing, or restarts clocks, or tries errors again.
func TestRepeats(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		r := with(t, func(k *graphsim.Knobs) { k.RepeatRestarts, k.TokenLife = restarts, 24*time.Hour })
		r.token = r.login(clientID, "s3cret")
		r.post(phone, appA)
		r.Advance(7 * time.Hour)
		r.post(phone, appA)
		want(t, "counted", r.last().Order, 2)
		want(t, "still removed", r.listed(phone), "a:remove/removed")
		r.Advance(time.Hour)
		want(t, "after eight hours", r.held(phone) == "a", restarts)
	}
	for _, retries := range []bool{false, true} {
		r := with(t, func(k *graphsim.Knobs) { k.RepeatRetries = retries })
		r.SetFate(tenantID, phone, appA, graphsim.Fate{Code: -2016330908, Message: "no"})
		r.post(phone, appA)
		r.Advance(time.Minute)
		r.ClearFate(tenantID, phone, appA)
		r.post(phone, appA)
		r.Advance(time.Minute)
		want(t, "in the end", r.listed(phone), map[bool]string{false: "a:remove/error", true: "a:remove/removed"}[retries])
	}
}

// Line 4: an item's own end, of a removal and of a restore, with code and message.
func TestFates(t *testing.T) {
	r := newRig(t, graphsim.Options{})
	r.SetFate(tenantID, phone, strings.ToUpper(appA), graphsim.Fate{Code: -7, Message: "device said no"})
	r.post(phone, appA, appB)
	r.Advance(time.Minute)
	want(t, "removal", r.listed(phone), "a:remove/error b:remove/removed")
	a := r.must("GET", managed(phone)+"?$select=deviceActionResults", "")
	for _, part := range []string{`"errorCode":-7`, `"intentActionMessage":"device said no"`, `"actionState":"failed"`} {
		want(t, part, strings.Contains(a.body, part), true)
	}
	r.post(phone)
	r.Advance(time.Minute)
	want(t, "restore", r.listed(phone), "a:restore/error b:restore/succeeded")
	st := r.State(tenantID, phone)
	want(t, "truth", line(len(st), st[0].Status, st[0].Code, st[0].Intent), "2 error -7 restore")
}

// Line 4: each item is restored at its own time between eight hours and a day, the same for a seed.
func TestAutoRestoreSpread(t *testing.T) {
	when := func(seed uint64) string {
		r := newRig(t, graphsim.Options{Seed: seed})
		r.turn(func(k *graphsim.Knobs) { k.AutoRestoreSpread, k.TokenLife = 16*time.Hour, 48*time.Hour })
		r.token = r.login(clientID, "s3cret")
		r.post(phone, appA, appB, appC)
		var left []string
		for range 24 {
			r.Advance(time.Hour)
			left = append(left, strings.ReplaceAll(r.held(phone), " ", ""))
		}
		want(t, "before eight hours", left[6], "abc")
		want(t, "after a day", left[23], "")
		return strings.Join(left, ",")
	}
	one := when(1)
	want(t, "same seed", when(1), one)
	want(t, "other seed", when(2) == one, false)
	want(t, "not all at once", strings.Contains(one, "abc,,"), false)
}

// Line 4: how long a restored item stays listed is a knob.
func TestForgetRestored(t *testing.T) {
	r := with(t, func(k *graphsim.Knobs) { k.ForgetRestored = 10 * time.Minute })
	r.post(phone, appA, appB)
	r.post(phone, appB)
	r.Advance(10 * time.Minute)
	want(t, "still", r.listed(phone), "a:restore/succeeded b:remove/removed")
	r.Advance(time.Minute)
	want(t, "gone", r.listed(phone), "b:remove/removed")
}
