package graph_test

import (
	"testing"
	"time"

	"changerelay/internal/graph"
)

// The seven routes of the action's page, and ids as they stand in a path.
func TestRoutes(t *testing.T) {
	run := graph.RunState(graph.HealthScripts, "8f1a", "8f1a:77")
	for want, r := range map[string]graph.Route{
		"managedDevices/" + device:                                                                                      graph.ManagedDevice(device),
		"comanagedDevices/" + device:                                                                                    graph.ComanagedDevice(device),
		"deviceHealthScripts/8f1a/deviceRunStates/8f1a:77/managedDevice":                                                run,
		"deviceManagementScripts/8f1a/deviceRunStates/c3Rh=/managedDevice":                                              graph.RunState(graph.ManagementScripts, "8f1a", "c3Rh="),
		"deviceComplianceScripts/8f1a/deviceRunStates/8f1a:77/managedDevice":                                            graph.RunState(graph.ComplianceScripts, "8f1a", "8f1a:77"),
		"deviceHealthScripts/8f1a/deviceRunStates/8f1a:77/managedDevice/users/ada@example.com/managedDevices/" + device: run.User("ada@example.com", device),
		"deviceHealthScripts/8f1a/deviceRunStates/8f1a:77/managedDevice/detectedApps/0a1/managedDevices/" + device:      run.DetectedApp("0a1", device),
	} {
		c := newCloud(t, false)
		g := c.client(t)
		if _, err := g.ChangeAssignments(t.Context(), r, nil, time.Time{}, graph.Consent{}); err != nil {
			t.Fatal(err)
		}
		_, _ = g.DeviceID(t.Context(), r)
		_, calls := c.got()
		if got := calls[0].uri; got != "/beta/deviceManagement/"+want+"/changeAssignments" {
			t.Errorf("POST %s", got)
		}
		if got := calls[1].uri; got != "/beta/deviceManagement/"+want+"?$select=id" {
			t.Errorf("GET %s", got)
		}
	}
	for _, r := range []graph.Route{{}, run.User("", device), run.User("..", device), run.User("a/b", device), graph.RunState("x?", "a", "b"), graph.RunState("", "a", "b")} {
		c := newCloud(t, false)
		_, err := c.client(t).DeviceID(t.Context(), r)
		kind(t, err, graph.Refused)
		if _, calls := c.got(); len(calls) != 0 {
			t.Errorf("%+v was sent: %v", r, calls)
		}
	}
}
