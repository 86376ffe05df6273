// The rows of the table in roles.bicep that are about the Azure Communication Services resource.
param name string
param grants array

resource acs 'Microsoft.Communication/communicationServices@2025-09-01' existing = {
  name: name
}

resource acsGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for grant in grants: {
  scope: acs
  name: guid(acs.id, grant.who, grant.role)
  properties: {
    principalId: grant.who
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.role)
    description: grant.why
  }
}]
