"""Templates for tests: a few instances with the same user data, one target group, one listener."""
import textwrap

IMAGE = "ami-08c40ec9ead489470"


def site(user_data, instances=1, port=80, image=IMAGE, instance_type="m4.large", interval=5,
         name="site", extra="", attributes=None):
    """One instance for each in `instances`, all with the same user data, behind one load balancer
    with these attributes."""
    text = f"""\
AWSTemplateFormatVersion: '2010-09-09'
Description: A site for a test
Parameters:
  Vpc: {{Type: 'AWS::EC2::VPC::Id'}}
  Subnets: {{Type: 'List<AWS::EC2::Subnet::Id>'}}
Resources:
  WebGroup:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: web
      VpcId: !Ref Vpc
      SecurityGroupIngress:
        - {{IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: 0.0.0.0/0}}
  Targets:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties:
      Name: {name}
      Port: 80
      Protocol: HTTP
      VpcId: !Ref Vpc
      HealthCheckPath: /
      HealthCheckIntervalSeconds: {interval}
      HealthCheckTimeoutSeconds: 2
      HealthyThresholdCount: 2
      UnhealthyThresholdCount: 2
      TargetGroupAttributes:
        - {{Key: deregistration_delay.timeout_seconds, Value: '0'}}
      Targets:
"""
    for i in range(instances):
        text += f"        - {{Id: !Ref Web{i}}}\n"
    text += f"""\
  Balancer:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties:
      Name: {name}
      Scheme: internet-facing
      Subnets: !Ref Subnets
      SecurityGroups: [!GetAtt WebGroup.GroupId]
      LoadBalancerAttributes:
        - {{Key: idle_timeout.timeout_seconds, Value: '60'}}
"""
    for key, value in (attributes or {}).items():
        text += f"        - {{Key: {key}, Value: '{value}'}}\n"
    text += f"""\
  Listener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Balancer
      Port: {port}
      Protocol: HTTP
      DefaultActions:
        - {{Type: forward, TargetGroupArn: !Ref Targets}}
"""
    for i in range(instances):
        text += f"""\
  Web{i}:
    Type: AWS::EC2::Instance
    Properties:
      ImageId: {image}
      InstanceType: {instance_type}
      SecurityGroupIds: [!GetAtt WebGroup.GroupId]
      UserData:
        Fn::Base64: |
"""
        text += textwrap.indent(user_data, " " * 10) + "\n"
    return text + extra


# Answers each request with what it has got, and notes every request's path.
ECHO = """\
#!/bin/sh
cat > /opt/echo.py <<'END'
import http.server

class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def answer(self):
        length = int(self.headers.get('content-length') or 0)
        body = self.rfile.read(length)
        text = (self.requestline + '\\n' + str(self.headers)).encode() + body
        self.send_response(200)
        self.send_header('content-length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = answer

    def log_message(self, text, *values):
        with open('/var/log/requests', 'a') as log:
            log.write(self.requestline + '\\n')

http.server.ThreadingHTTPServer(('0.0.0.0', 80), Echo).serve_forever()
END
python3 /opt/echo.py >/dev/null 2>&1 &
"""
