using System.CommandLine;

namespace FailoverOperator.Cli.CommandLine;

/// <summary>Scripts that let shells ask this program for what may come next.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        # kubectl-failover completion bash >> ~/.bashrc
        _kubectl_failover() {
            local IFS=$'\n'
            local typed
            typed=$(IFS=' '; echo "${COMP_WORDS[*]:1:COMP_CWORD}")
            COMPREPLY=( $(compgen -W "$(kubectl-failover "[suggest:${#typed}]" "$typed" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}") )
        }
        complete -F _kubectl_failover kubectl-failover
        """;

    private const string Zsh = """
        # kubectl-failover completion zsh >> ~/.zshrc
        _kubectl_failover() {
            local typed="${words[2,CURRENT]}"
            local suggestions=("${(@f)$(kubectl-failover "[suggest:${#typed}]" "$typed" 2>/dev/null)}")
            compadd -- "${suggestions[@]}"
        }
        compdef _kubectl_failover kubectl-failover
        """;

    private const string Kubectl = """
        #!/bin/sh
        # kubectl-failover completion kubectl > kubectl_complete-failover; chmod +x it, into a folder of PATH.
        # kubectl 1.26 and later asks it when somebody completes "kubectl failover".
        typed="$*"
        kubectl-failover "[suggest:${#typed}]" "$typed" 2>/dev/null
        # Nothing beside these: no names of files.
        echo :4
        """;

    public static Command Build(CliHost host)
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh, or kubectl for kubectl's own completion of plugins" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "kubectl");
        var command = new Command("completion", "Print a script that completes the commands in a shell") { shell };
        command.SetAction(parsed => host.Output.WriteLine(parsed.GetValue(shell) switch { "bash" => Bash, "zsh" => Zsh, _ => Kubectl }));
        return command;
    }
}
