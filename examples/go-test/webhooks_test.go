package game

import (
	"encoding/xml"
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const secret = "s3cret"

// What to run: nothing is the whole bundled suite, and a folder such as "scenarios/" is your own.
var scenarios = []string{"--tag", "smoke"}

type problem struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

type testCase struct {
	Name      string   `xml:"name,attr"`
	Failure   *problem `xml:"failure"`
	Error     *problem `xml:"error"`
	Skipped   *problem `xml:"skipped"`
	SystemOut string   `xml:"system-out"`
}

// TestWebhooks starts the game, lets aghook play Aghanim once, and shows each scenario as a subtest.
func TestWebhooks(t *testing.T) {
	server := httptest.NewServer(New(secret))
	defer server.Close()
	cases, output, exitCode := runAghook(t, server.URL)
	for _, scenario := range cases {
		t.Run(scenario.Name, func(t *testing.T) {
			switch {
			case scenario.Failure != nil:
				t.Fatalf("%s\n%s", scenario.Failure.Message, scenario.Failure.Text)
			case scenario.Error != nil:
				t.Fatalf("%s\n%s", scenario.Error.Message, scenario.Error.Text)
			case scenario.Skipped != nil:
				t.Skip(scenario.Skipped.Message)
			case strings.HasPrefix(scenario.SystemOut, "! warned"):
				t.Log(scenario.SystemOut)
			}
		})
	}
	// 1 is a failed scenario, which its subtest shows. 2 and 3 mean that there is no verdict.
	if exitCode != 0 && exitCode != 1 {
		t.Fatalf("aghook exited with %d:\n%s", exitCode, output)
	}
}

func runAghook(t *testing.T, gameURL string) (cases []testCase, output string, exitCode int) {
	t.Helper()
	folder := t.TempDir()
	profile, report := filepath.Join(folder, "aghook.yaml"), filepath.Join(folder, "junit.xml")
	template, err := os.ReadFile("aghook.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(template), "http://127.0.0.1:8080", gameURL)
	if err := os.WriteFile(profile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	aghook := os.Getenv("AGHOOK")
	if aghook == "" {
		aghook = "aghook"
	}
	arguments := append([]string{"run", "--quiet", "--config", profile, "--report", "junit=" + report}, scenarios...)
	command := exec.Command(aghook, arguments...)
	command.Env = append(os.Environ(), "AGHANIM_WEBHOOK_SECRET="+secret)
	printed, err := command.CombinedOutput()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		t.Fatal(err)
	}
	var suites struct {
		Cases []testCase `xml:"testsuite>testcase"`
	}
	// Without a report, the exit code and the output say why.
	if written, err := os.ReadFile(report); err == nil {
		if err := xml.Unmarshal(written, &suites); err != nil {
			t.Fatal(err)
		}
	}
	return suites.Cases, string(printed), command.ProcessState.ExitCode()
}
