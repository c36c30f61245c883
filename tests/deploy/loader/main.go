// Loads a Compose file as Compose itself does, every profile switched on, and prints the names of its services.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	options, err := cli.NewProjectOptions([]string{os.Args[1]}, cli.WithProfiles([]string{"*"}))
	if err == nil {
		project, wrong := options.LoadProject(context.Background())
		if wrong == nil {
			for _, name := range project.ServiceNames() {
				fmt.Println(name)
			}
			return
		}
		err = wrong
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
