using FailoverOperator.CrdGenerator;

return CommandLine.Run(args, Console.Out, Console.Error);
