// Judges pods by the Pod Security Standards with the code of Kubernetes' own admission plugin.
//
// Reads a JSON list of pods or pod templates on standard input and prints, for each, a JSON line with its name and the
// strictest level at which every version given as an argument admits it (restricted, baseline, privileged), with what the
// restricted level of the first refusing version says. A field that Kubernetes does not know is an error.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

// Pod is what both a Pod and the template of a workload have.
type Pod struct {
	Name     string            `json:"name"`
	Metadata metav1.ObjectMeta `json:"metadata"`
	Spec     corev1.PodSpec    `json:"spec"`
}

// Verdict is one line of the output.
type Verdict struct {
	Name   string `json:"name"`
	Level  string `json:"level"`
	Reason string `json:"reason"`
}

func judge(evaluator policy.Evaluator, pod Pod, versions []string) (Verdict, error) {
	reason := ""
	for _, level := range []api.Level{api.LevelRestricted, api.LevelBaseline} {
		admitted := true
		for _, text := range versions {
			version, err := api.ParseVersion("v" + text)
			if err != nil {
				return Verdict{}, err
			}
			result := policy.AggregateCheckResults(
				evaluator.EvaluatePod(api.LevelVersion{Level: level, Version: version}, &pod.Metadata, &pod.Spec))
			if !result.Allowed {
				admitted = false
				if reason == "" {
					reason = result.ForbiddenDetail()
				}
			}
		}
		if admitted {
			return Verdict{pod.Name, string(level), reason}, nil
		}
	}
	return Verdict{pod.Name, string(api.LevelPrivileged), reason}, nil
}

func run(versions []string) error {
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	var pods []Pod
	if err := yaml.UnmarshalStrict(input, &pods); err != nil {
		return err
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return err
	}
	output := json.NewEncoder(os.Stdout)
	for _, pod := range pods {
		verdict, err := judge(evaluator, pod, versions)
		if err != nil {
			return err
		}
		if err := output.Encode(verdict); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
