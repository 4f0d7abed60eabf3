await Console.Error.WriteLineAsync("not composed yet");
return 2;
