// What is read from the AI resources, made here or brought. The first one also speaks: Speech, and the apology of ACS.
param names array

resource accounts 'Microsoft.CognitiveServices/accounts@2025-09-01' existing = [for name in names: {
  name: name
}]

output voiceLiveEndpoints array = [for (name, i) in names: 'https://${accounts[i].properties.customSubDomainName}.services.ai.azure.com']
output realtimeEndpoints array = [for (name, i) in names: 'https://${accounts[i].properties.customSubDomainName}.openai.azure.com']
output speechEndpoint string = 'https://${accounts[0].properties.customSubDomainName}.cognitiveservices.azure.com'
output speechRegion string = accounts[0].location
output speechResourceId string = accounts[0].id
