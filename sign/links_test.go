package sign_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestLinksNoClient: whoever only verifies links neither the login client nor an OAuth or OpenID client.
func TestLinksNoClient(t *testing.T) {
	t.Parallel()
	const module = "github.com/kakunin-go/kakunin"
	for _, pkg := range []string{module + "/sign", module + "/sign/evidence"} {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", pkg).Output()
		if err != nil {
			t.Fatal(err)
		}
		deps := strings.Fields(string(out))
		if len(deps) < 20 {
			t.Fatalf("%s: only %d packages: the list is broken", pkg, len(deps))
		}
		for _, dep := range deps {
			for _, client := range []string{"github.com/coreos/go-oidc", "golang.org/x/oauth2", module + "/sign/signapi"} {
				if dep == module+"/authn" || dep == client || strings.HasPrefix(dep, client+"/") {
					t.Errorf("%s links %s", pkg, dep)
				}
			}
		}
	}
}
